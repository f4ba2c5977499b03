"use strict";
(() => {
  // The page is whole without this script: it adds sorting, filtering, opening from the table, themes, refreshing.
  const root = document.documentElement;
  const one = (selector) => document.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const state = { column: -1, down: false };
  let counted = "";
  root.classList.add("js");

  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
  };

  const sort = (table, state) => {
    if (!table || state.column < 0) return;
    const body = table.tBodies[0];
    const sign = state.down ? -1 : 1;
    const rows = [...body.rows].map((row, at) => [value(row, state.column), at, row]);
    rows.sort((a, b) => (a[0] < b[0] ? -sign : a[0] > b[0] ? sign : a[1] - b[1]));
    body.append(...rows.map((entry) => entry[2]));
    all("thead th", table).forEach((head, at) => {
      if (at === state.column) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  };

  // A head becomes a button: numbers go down first, text goes up first.
  const sortable = (table, state) => all("thead th", table).forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      state.down = state.column === at ? !state.down : head.classList.contains("n");
      state.column = at;
      sort(table, state);
    });
  });

  // Text that the page came with, to return to when no service is chosen any more.
  const put = (node, text) => {
    if (node.dataset.whole === undefined) node.dataset.whole = node.textContent;
    node.textContent = text === null ? node.dataset.whole : text;
  };
  const number = (uses) => uses.toLocaleString("en-US");

  // The numbers of one service, or of all of them for none.
  const count = (service) => {
    const sums = [0, 0, 0];
    let used = 0;
    for (const row of one("#table").tBodies[0].rows) {
      const by = service ? JSON.parse(row.dataset.by)[service] : undefined;
      const detail = document.getElementById(row.dataset.move);
      [1, 2, 3, 4, 5].forEach((column, at) => {
        const cell = row.cells[column];
        if (cell.dataset.all === undefined) cell.dataset.all = cell.dataset.v;
        cell.dataset.v = by ? by.n[at] : service ? 0 : cell.dataset.all;
        put(cell, service ? (!by ? "" : column === 4 ? by.change : number(by.n[at])) : null);
        if (by && at < 3) sums[at] += by.n[at];
      });
      used += Boolean(by && by.total);
      put(row.cells[7], service ? (by ? by.last : "") : null);
      put(detail.querySelector("summary .sum"), by ? number(by.total) + " uses, " + (by.change || "no change") : null);
      for (const caller of all("details.caller", detail)) {
        const uses = service ? JSON.parse(caller.dataset.by)[service] : undefined;
        caller.hidden = Boolean(service) && uses === undefined;
        put(caller.querySelector(".sum"), uses === undefined ? null : number(uses) + " uses");
      }
      for (const cell of all("td[data-services]", detail)) {
        const of = cell.dataset.services.split("\n");
        cell.parentNode.hidden = Boolean(service) && !of.includes(service);
        put(cell, service && of.length > 1 ? (cell.dataset.whole ?? cell.textContent) + " (all services)" : null);
      }
    }
    sums.forEach((sum, at) => put(one("#sum" + at), service ? number(sum) : null));
    put(one("#used"), service ? number(used) : null);
    one("#of-service").hidden = !service;
  };

  const filter = () => {
    const table = one("#table");
    if (!table) return;
    const words = one("#filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const stage = one("#stage").value;
    const service = one("#service").value;
    let shown = 0;
    if (service !== counted) count(service);
    counted = service;
    for (const row of table.tBodies[0].rows) {
      const detail = document.getElementById(row.dataset.move);
      const text = (row.textContent + " " + detail.textContent).toLowerCase();
      const fits = words.every((word) => text.includes(word)) &&
        (!stage || row.dataset.stage === stage) &&
        (!service || row.dataset.services.split("\n").includes(service));
      row.hidden = detail.hidden = !fits;
      shown += fits;
    }
    one("#shown").textContent = shown + " of " + table.tBodies[0].rows.length + " moves";
    one("#none").hidden = shown > 0;
  };

  const openTarget = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target || target.tagName !== "DETAILS") return;
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus();
  };

  const wire = () => {
    const table = one("#table");
    if (!table) return;
    sortable(table, state);
    all("details.caller table").forEach((inner) => sortable(inner, { column: -1, down: false }));
    for (const id of ["filter", "stage", "service"])
      for (const event of ["input", "change"]) one("#" + id).addEventListener(event, filter);
    one("#filters").addEventListener("submit", (event) => event.preventDefault());
    const set = (open) => () => all("details.move").forEach((detail) => { if (!detail.hidden) detail.open = open; });
    one("#open").addEventListener("click", set(true));
    one("#close").addEventListener("click", set(false));
    // A link to the target that is already in the address bar changes no hash.
    table.addEventListener("click", (event) => { if (event.target.closest("a")) setTimeout(openTarget); });
    filter();
  };

  one("#theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  addEventListener("hashchange", openTarget);
  addEventListener("keydown", (event) => {
    const field = one("#filter");
    if (event.key !== "/" || !field || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    field.focus();
  });
  addEventListener("beforeprint", () => all("details").forEach((detail) => { detail.open = true; }));

  // Behind a server: take the new content over, keep what the reader has chosen.
  const refresh = async () => {
    try {
      // Resolved against the origin: an address that held a password must not be fetched as it was typed.
      const answer = await fetch(location.origin + location.pathname + location.search, { cache: "no-store" });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const busy = document.activeElement && document.activeElement !== document.body && one("main").contains(document.activeElement);
      if (busy || fresh.querySelector("main").innerHTML === refresh.seen) return;
      refresh.seen = fresh.querySelector("main").innerHTML;
      const kept = ["filter", "stage", "service"].map((id) => [id, one("#" + id)?.value ?? ""]);
      const name = (detail) => detail.closest("details.move")?.querySelector("h3")?.textContent + "|" + (detail.querySelector("h4")?.textContent ?? "") + detail.className;
      const open = new Set(all("details[open]").map(name));
      one("main").replaceWith(document.adoptNode(fresh.querySelector("main")));
      one("#evidence").textContent = fresh.querySelector("#evidence").textContent;
      all("details").forEach((detail) => { detail.open = open.has(name(detail)); });
      for (const [id, chosen] of kept) if (one("#" + id)) one("#" + id).value = chosen;
      counted = "";
      wire();
      sort(one("#table"), state);
    } catch { /* The server went away: the page stays as it is. */ }
  };
  wire();
  openTarget();
  if (root.dataset.live) {
    refresh.seen = one("main").innerHTML;
    setInterval(refresh, Number(root.dataset.live) * 1000);
  }
})();
