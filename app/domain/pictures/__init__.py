"""Pictures: values drawn as SVG that stands on its own, in light and in dark, readable at 400 pixels."""
