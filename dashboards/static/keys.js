// Keys for lists and for triage, dialogs, ticks. Everything works without this file too, by mouse and Tab.
"use strict";
(() => {
  const all = (query) => Array.from(document.querySelectorAll(query));
  const rows = () => all("[data-row]");
  const place = `row:${location.pathname}`;
  let at = -1;

  function go(to, scroll = true) {
    const list = rows();
    if (!list.length) return;
    list[at]?.classList.remove("at");
    at = Math.max(0, Math.min(to, list.length - 1));
    list[at].classList.add("at");
    if (scroll) list[at].scrollIntoView({ block: list[at].tagName === "TR" ? "nearest" : "start" });
    sessionStorage.setItem(place, String(at));
  }

  // Ticks of a list: how many, and the buttons that need one.
  const ticks = () => all("input[type=checkbox][name=alert]");
  function count() {
    const ticked = ticks().filter((one) => one.checked).length;
    all("[data-count]").forEach((one) => { one.textContent = `${ticked} ticked`; });
    all("[data-needs]").forEach((one) => { one.disabled = !ticked && at < 0; });
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) ticks().forEach((one) => { one.checked = event.target.checked; });
    if (event.target.closest("#filters") && event.target.tagName === "SELECT") event.target.form.requestSubmit();
    count();
  });

  // A step without ticks is meant for the row we are at.
  function tickHere() {
    const list = ticks();
    if (list.length && !list.some((one) => one.checked)) {
      const here = rows()[at]?.querySelector("input[name=alert]");
      if (here) here.checked = true;
      count();
    }
    return !list.length || list.some((one) => one.checked);
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (target.closest("[data-help]")) document.getElementById("help").showModal();
    if (target.closest("[data-cancel]")) target.closest("dialog").close();
    const needs = target.closest("[data-needs]");
    if (needs && !tickHere()) { event.preventDefault(); return; }
    const opens = target.closest("[data-dialog]");
    if (opens) openDialog(opens.dataset.dialog);
  });

  function openDialog(name) {
    const dialog = document.getElementById(name);
    const verdicts = dialog.querySelectorAll("input[type=radio]");
    verdicts.forEach((one) => { one.required = true; });
    dialog.showModal();
    verdicts[0]?.focus();
  }
  // A verdict is asked for by the dialog only: the other buttons of the form go without one.
  all("dialog").forEach((dialog) => dialog.addEventListener("close", () => {
    dialog.querySelectorAll("input[type=radio]").forEach((one) => { one.required = false; one.checked = false; });
  }));

  const inside = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  let waiting = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey) {
      if (event.key === "Enter" && event.target.form) event.target.form.requestSubmit(event.target.closest("dialog")?.querySelector(".primary") ?? event.target.form.querySelector("button"));
      return;
    }
    if (event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (inside(event.target)) { if (event.key === "Escape") event.target.blur(); return; }
    if (Date.now() - waiting < 1200) {
      waiting = 0;
      const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); location.assign(link.href); return; }
    }
    const act = actions[event.key];
    if (act && act(event) !== false) event.preventDefault();
  });

  const press = (key) => () => { const button = document.querySelector(`[data-key="${key}"]`); if (!button) return false; button.disabled = false; button.click(); };
  const actions = {
    j: () => go(at + 1), k: () => go(at - 1), ArrowDown: () => (at < 0 ? false : go(at + 1)), ArrowUp: () => (at < 0 ? false : go(at - 1)),
    Enter: (event) => { const link = rows()[at]?.querySelector("[data-open]"); if (!link || event.target.closest("a, button, summary")) return false; location.assign(link.href); },
    x: () => { const tick = rows()[at]?.querySelector("input[name=alert]"); if (!tick) return false; tick.checked = !tick.checked; count(); },
    a: press("a"), e: press("e"), c: press("c"),
    n: () => { const note = document.querySelector("[data-note]"); if (!note) return false; note.focus(); },
    "/": () => { const search = document.querySelector("[data-search]"); if (!search) { location.assign("/alerts"); return; } search.focus(); search.select(); },
    "?": () => document.getElementById("help").showModal(),
    g: () => { waiting = Date.now(); },
  };

  // What is marked in a long payload is scrolled to.
  all("pre:has(mark)").forEach((pre) => { pre.scrollTop = pre.querySelector("mark").offsetTop - pre.offsetTop - 60; });

  // Back from a step: where we were.
  const before = Number(sessionStorage.getItem(place) ?? -1);
  const returned = document.querySelector(".flash[role=status]") || performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  if (returned && before >= 0) go(before, false);
  count();
})();
