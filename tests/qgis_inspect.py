"""What QGIS makes of released files, as JSON. Run by the system's Python, which has QGIS; the tests read its output.

/usr/bin/python3 tests/qgis_inspect.py layers SOURCE...        each opened as a user would, with its default style
                                                               (file:... as delimited text, all others by GDAL)
/usr/bin/python3 tests/qgis_inspect.py project FILE.qgz        the project with its layers and relations
/usr/bin/python3 tests/qgis_inspect.py picture FILE.qgz PNG    the map drawn into a picture, with its colours
"""

import json
import os
import sys
from collections import Counter

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QSize, Qt
from qgis.PyQt.QtGui import QColor

PICTURE_SIZE = (1200, 1000)
MESSAGES = []


def plain(value):
    """A value of QGIS as JSON: dates as ISO text, QGIS's NULL as None."""
    if value is None or (hasattr(value, "isNull") and value.isNull()):
        return None
    if isinstance(value, (QDate, QDateTime)):
        return value.toString(Qt.ISODate)
    return value


def choices(setup):
    """The value map of a widget as value -> label, in order."""
    entries = setup.config().get("map", [])
    return {value: label for entry in entries for label, value in entry.items()}


def field_info(layer, index, field):
    setup = layer.editorWidgetSetup(index)
    return {
        "type": field.typeName(),
        "alias": layer.attributeAlias(index),
        "widget": setup.type(),
        "choices": choices(setup),
    }


def layer_info(layer):
    fields = layer.fields()
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    features = list(layer.getFeatures())
    tips = []
    for feature in features:
        context.setFeature(feature)
        tips.append(QgsExpression.replaceExpressionText(layer.mapTipTemplate(), context))
    return {
        "valid": layer.isValid(),
        "name": layer.name(),
        "title": layer.metadata().title(),
        "abstract": layer.metadata().abstract(),
        "attribution": layer.attribution(),
        "crs": layer.crs().authid(),
        "geometry": QgsWkbTypes.displayString(layer.wkbType()),
        "count": layer.featureCount(),
        "fields": {field.name(): field_info(layer, index, field) for index, field in enumerate(fields)},
        "hidden": [column.name for column in layer.attributeTableConfig().columns() if column.hidden and column.name],
        "rows": [[plain(value) for value in feature.attributes()] for feature in features],
        "shapes": [feature.geometry().asWkb().toHex().data().decode() for feature in features],
        "renderer": layer.renderer().type() if layer.renderer() else None,
        "legend": [item.label() for item in layer.renderer().legendSymbolItems()] if layer.renderer() else [],
        "labels": layer.labelsEnabled(),
        "display": layer.displayExpression(),
        "tips": tips,
    }


def inspect_layers(sources):
    result = {}
    for source in sources:
        layer = QgsVectorLayer(source, "layer", "delimitedtext" if source.startswith("file:") else "ogr")
        result[source] = layer_info(layer)
        del layer
    return result


def open_project(path):
    project = QgsProject.instance()
    if not project.read(path):
        raise SystemExit(f"QGIS cannot read {path}: {project.error()}")
    return project


def inspect_project(path):
    project = open_project(path)
    tree = project.layerTreeRoot()
    relations = project.relationManager().relations().values()
    result = {
        "title": project.title(),
        "crs": project.crs().authid(),
        "abstract": project.metadata().abstract(),
        "links": [link.url for link in project.metadata().links()],
        "created": plain(project.metadata().creationDateTime()),
        "copyright": project.readEntry("CopyrightLabel", "/Label")[0],
        "heading": project.readEntry("TitleLabel", "/Label")[0],
        "order": [layer.id() for layer in tree.layerOrder()],
        "groups": {group.name(): group.findLayerIds() for group in tree.findGroups()},
        "sources": {layer.id(): layer.source() for layer in project.mapLayers().values()},
        "layers": {layer.id(): layer_info(layer) for layer in project.mapLayers().values()},
        "relations": {
            relation.id(): {
                "valid": relation.isValid(),
                "name": relation.name(),
                "child": relation.referencingLayerId(),
                "parent": relation.referencedLayerId(),
                "fields": list(map(list, relation.fieldPairs().items())),
                "related": sum(
                    len(list(relation.getRelatedFeatures(feature)))
                    for feature in relation.referencedLayer().getFeatures()
                ),
            }
            for relation in relations
        },
    }
    project.clear()
    return result


def draw(path, target):
    """Draw the project's first view; returns how many pixels each colour (#rrggbb) has."""
    project = open_project(path)
    settings = QgsMapSettings()
    settings.setLayers([layer for layer in project.layerTreeRoot().layerOrder() if layer.isSpatial()])
    settings.setDestinationCrs(project.crs())
    settings.setExtent(project.viewSettings().defaultViewExtent())
    settings.setOutputSize(QSize(*PICTURE_SIZE))
    settings.setBackgroundColor(QColor("#ffffff"))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(target)
    counts = Counter(
        image.pixelColor(x, y).name() for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)
    )
    del job, settings
    project.clear()
    return {"colours": dict(counts)}


def main(command, *arguments):
    gdal.PushErrorHandler(lambda _level, _number, text: MESSAGES.append(f"GDAL: {text}"))
    application = QgsApplication([], False)
    application.initQgis()
    application.messageLog().messageReceived.connect(lambda text, tag, _level: MESSAGES.append(f"{tag}: {text}"))
    if command == "layers":
        result = inspect_layers(arguments)
    elif command == "project":
        result = inspect_project(*arguments)
    elif command == "picture":
        result = draw(*arguments)
    else:
        raise SystemExit(__doc__)
    print(json.dumps({"result": result, "messages": MESSAGES}))
    sys.stdout.flush()
    # QGIS 3.22 may crash while it ends; what was asked for is said by now.
    os._exit(0)


main(*sys.argv[1:])
