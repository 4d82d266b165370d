// Draws the figures that the page holds as data, in the colours of the stylesheet, and again when those change.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function look() {
    const axis = { gridcolor: colour("--line"), tickcolor: colour("--line-strong"), linecolor: colour("--line-strong") };
    return {
      "font.color": colour("--soft"), "hoverlabel.bgcolor": colour("--card"), "hoverlabel.bordercolor": colour("--line-strong"),
      "hoverlabel.font.color": colour("--ink"),
      ...Object.fromEntries(["xaxis", "yaxis"].flatMap((side) => Object.entries(axis).map(([k, v]) => [`${side}.${k}`, v]))),
    };
  }

  async function draw(place) {
    const figure = JSON.parse(place.querySelector("script").textContent);
    const target = document.createElement("div");
    place.append(target);
    await Plotly.newPlot(target, figure.data, figure.layout, { responsive: true, displayModeBar: false, displaylogo: false, doubleClick: "reset" });
    await Plotly.relayout(target, look());
    target.on("plotly_click", (event) => {
      const step = event.points.find((point) => point.customdata !== undefined)?.customdata;
      if (Number.isInteger(step) && document.getElementById(`turn-${step}`)) location.hash = `turn-${step}`;
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => Plotly.relayout(target, look()));
    place.dataset.drawn = "";
  }

  document.querySelectorAll("[data-plot]").forEach(draw);
})();
