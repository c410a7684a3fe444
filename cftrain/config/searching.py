"""Where Hydra looks for options: in our tree, and in those that plug-ins bring."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

from cftrain.config.plugins import plugins


class PluginOptions(SearchPathPlugin):
    """Adds the folder `conf` of each plug-in in use, after ours."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """As Hydra asks for it. Raises ConfigError for plug-ins that are not there."""
        for plugin in plugins().values():
            for folder in plugin.options:
                search_path.append(f"plug-in {plugin.name}", f"file://{folder}")


def let_hydra_search() -> None:
    """Have every composition from now on look into the plug-ins that are in use."""
    Plugins.instance().register(PluginOptions)
