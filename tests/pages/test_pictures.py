"""Pictures in a browser, 400 pixels wide: no text lies outside, none on another, in light and in dark they are other colours."""

from __future__ import annotations

import json
from pathlib import Path

from tests.domain.pictures.gallery import GALLERY
from tests.pages.chromium import Tab

WRONG = """(() => {
  const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    const all = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map((one) => [one.textContent, one.getBoundingClientRect()]);
    texts.forEach(([text, box], n) => {
      if (box.left < all.left - 0.5 || box.right > all.right + 0.5 || box.top < all.top - 0.5 || box.bottom > all.bottom + 0.5)
        found.push([svg.dataset.name, "outside", text]);
      for (const [other, beside] of texts.slice(0, n)) {
        const wide = Math.min(box.right, beside.right) - Math.max(box.left, beside.left);
        const high = Math.min(box.bottom, beside.bottom) - Math.max(box.top, beside.top);
        if (wide > 1 && high > 3.5) found.push([svg.dataset.name, "upon", text, other]);
      }
    });
  }
  return found;
})()"""
SMALLEST = """Math.min(...[...document.querySelectorAll("svg")].flatMap((svg) => [...svg.querySelectorAll("text")].map((one) =>
  parseFloat(getComputedStyle(one).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)))"""
GROUND = 'getComputedStyle(document.querySelector("svg .ground")).fill'


async def test_no_text_lies_outside_or_on_another(tab: Tab, tmp_path: Path) -> None:
    drawn = "".join(draw().replace("<svg ", f"<svg data-name={json.dumps(name)} ", 1) for name, draw in GALLERY.items())
    page = tmp_path / "pictures.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body style='margin:0'>{drawn}", encoding="utf-8")
    await tab.size(400, 900)
    await tab.send("Page.navigate", url=page.as_uri())
    await tab.until(f"document.querySelectorAll('svg').length === {len(GALLERY)} && document.readyState === 'complete'")
    assert await tab.run(WRONG) == []
    assert await tab.run(SMALLEST) > 10.5
    light = await tab.run(GROUND)
    await tab.dark(True)
    assert await tab.run(GROUND) != light
