"""The site of a release: pages, map, report, feed; every page is a module and a template of the same name."""
