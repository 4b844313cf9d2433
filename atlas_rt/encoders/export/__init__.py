"""An OpenCLIP model as two ONNX towers that were proven equal to it: build, export, prove, make variants, describe.

Everything is made in a folder whose name begins with a dot, next to the place it goes to, and renamed there at the end.
"""

from atlas_rt.encoders.export.exporter import ExportReport, VariantReport, export

__all__ = ["ExportReport", "VariantReport", "export"]
