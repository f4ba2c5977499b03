"use strict";
(() => {
  // The page is whole without this script: it adds filtering, sorting, opening in place, themes, refreshing. What the page
  // keeps as text in noscript elements is built when it is asked for.
  const root = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const number = (uses) => uses.toLocaleString("en-US");
  const CHOICES = ["filter", "verdict", "service", "who"];
  const LISTED = 4, SHADES = 6;
  const state = { column: -1, down: false };
  let data, rows, whole;
  root.classList.add("js");

  const make = (name, attributes = {}, ...children) => {
    const svg = /^(svg|path|rect|title)$/.test(name);
    const node = svg ? document.createElementNS(one("svg").namespaceURI, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const parsed = (node) => {
    const template = document.createElement("template");
    template.innerHTML = node.textContent;
    return template.content;
  };
  const iso = (day) => new Date(day * 864e5).toISOString().slice(0, 10);
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

  // Rows: what the table has, and what is kept as text.
  const read = (tr) => {
    const at = Number(one("a", tr).hash.slice(2)) - 1;
    const flat = data.moves[at];
    const cells = [];
    for (let next = 0; next < flat.length; next += 6) cells.push(flat.slice(next, next + 6));
    const [verdict, name, removal] = tr.cells;
    const text = one(`#details noscript:nth-of-type(${at + 1})`);
    return {
      tr, at, cells, text, verdict: one(".v", verdict).textContent, late: tr.classList.contains("late"), name: one("a", name).textContent,
      to: one("small", name)?.textContent ?? "", removal: removal.textContent, shown: true,
      was: [...tr.cells].map((cell) => cell.textContent),
    };
  };
  const complete = () => {
    const rest = one("#rest");
    if (!rest) return;
    const found = all("tbody tr", parsed(rest));
    rest.remove();
    one("#table").tBodies[0].append(...found);
    rows.push(...found.map(read));
    one("#more").hidden = true;
  };

  // What the choices leave of a row's cells; null where it is not among the chosen.
  const chosen = () => Object.fromEntries(CHOICES.map((id) => [id, one("#" + id).value]));
  const fitting = (row, { filter, verdict, service, who }) => {
    if (verdict && (verdict === "overdue" ? !row.late : row.verdict !== verdict)) return null;
    const cells = row.cells.filter(([user, of]) =>
      (service ? user === Number(service) : !data.tests.includes(user)) && (!who || of === Number(who)));
    if ((service || who) && !cells.length) return null;
    if (filter) {
      row.words ??= (row.was.join(" ") + " " + row.text.textContent.replace(/<[^>]*>/g, " ")).toLowerCase();
      if (!filter.toLowerCase().split(/\s+/).every((word) => row.words.includes(word))) return null;
    }
    return cells;
  };
  const change = (week, before, total, ever) =>
    !week ? (ever ? "ended" : "") : !before ? (week === total ? "new" : "back")
      : (week >= before ? "+" : "") + Math.round((week / before - 1) * 100) + "%";
  const last = (who) => data.whos[who] === "(all others)";
  const counted = (cells) => {
    const whos = new Map();
    let latest = Infinity;
    for (const [, who, , , total, ago] of cells) {
      if (total) whos.set(who, (whos.get(who) ?? 0) + total);
      latest = Math.min(latest, ago);
    }
    const names = [...whos].sort((a, b) => last(a[0]) - last(b[0]) || b[1] - a[1] || a[0] - b[0]).map(([who]) => data.whos[who]);
    return {
      week: sum(cells.map((cell) => cell[2])), before: sum(cells.map((cell) => cell[3])), total: sum(cells.map((cell) => cell[4])),
      last: latest === Infinity ? "" : iso(data.today - latest),
      names: names.slice(0, 2).join(", ") + (names.length > 2 ? " +" + (names.length - 2) : ""),
    };
  };

  const link = (row) => make("a", { href: "#m" + (row.at + 1) }, row.name);
  const entry = (row) => {
    const { sums } = row;
    const said = row.late
      ? row.verdict + (sums.week ? ", " + number(sums.week) + " uses in 7 days" : "") + (sums.names ? ": " + sums.names : "")
      : (sums.last ? "last used " + sums.last : "never used") + ", goes in " + row.removal;
    return make("li", {}, link(row), " ", make("small", {}, said));
  };
  const list = (id, entries, none) => one(id)?.replaceChildren(...(entries.length ? entries : [make("li", {}, none)]));
  const people = (shown) => {
    const found = new Map();
    for (const row of shown)
      for (const [, who, week, , total] of row.left) {
        if (!total) continue;
        const mine = found.get(who) ?? found.set(who, { week: 0, total: 0, of: new Map() }).get(who);
        const most = mine.of.get(row) ?? [0, 0];
        mine.of.set(row, [most[0] + week, most[1] + total]);
        mine.week += week;
        mine.total += total;
      }
    const ranked = [...found].sort((a, b) => last(a[0]) - last(b[0]) || b[1].week - a[1].week || b[1].total - a[1].total);
    return ranked.slice(0, LISTED * 4).map(([who, { week, of }]) => {
      const [[row]] = [...of].sort((a, b) => b[1][0] - a[1][0] || b[1][1] - a[1][1]);
      const moves = of.size + (of.size === 1 ? " move" : " moves");
      return make("li", {}, make("b", {}, data.whos[who]), " ", make("small", {},
        number(week) + " uses in 7 days, " + moves + ", mostly ", link(row), ...(row.to ? [": write ", make("code", {}, row.to)] : [])));
    });
  };

  // The burn-down of the chosen service or who, in the frame that the page came with.
  const draw = (service, who) => {
    const svg = one(".chart");
    if (!svg) return "";
    const byUser = who || (!service && one("#by").dataset.by === "service");
    const stacks = new Map();
    for (const [user, of, ...bars] of data.bars) {
      if (service ? user !== Number(service) : data.tests.includes(user)) continue;
      if ((who && of !== Number(who)) || !sum(bars)) continue;
      const name = byUser ? data.users[user] : data.whos[of];
      stacks.set(name, bars.map((uses, at) => uses + (stacks.get(name)?.[at] ?? 0)));
    }
    let layers = [...stacks].sort((a, b) => sum(b[1]) - sum(a[1]));
    if (layers.length > SHADES) {
      const others = layers.splice(SHADES - 1);
      layers.push([others.length + " others", others[0][1].map((_, at) => sum(others.map((each) => each[1][at])))]);
    }
    const count = data.bars[0].length - 2;
    const totals = [...Array(count).keys()].map((at) => sum(layers.map((layer) => layer[1][at])));
    const top = ceiling(Math.max(...totals, 0)), pitch = 378 / count, bar = Math.min(36, Math.max(1, pitch * 0.8));
    const y = (uses) => 8 + 124 * (1 - uses / top);
    const below = Array(count).fill(0);
    const shade = (at) => "s" + (at === SHADES - 1 && layers[at][0].endsWith(" others") ? SHADES : at);
    one(".bars", svg).replaceChildren(...layers.map(([, bars], layer) => make("path", {
      class: shade(layer),
      d: bars.map((uses, at) => {
        const x = 40 + at * pitch + (pitch - bar) / 2, low = y(below[at]), high = y((below[at] += uses));
        return uses ? `M${x} ${low}V${high}h${bar}V${low}z` : "";
      }).join(""),
    })));
    all(".scale", svg).forEach((label, at) => { label.textContent = number((top * at) / 2); });
    all(".hit", svg).forEach((hit) => hit.remove());
    totals.forEach((total, at) => {
      const said = layers.filter((layer) => layer[1][at]).map((layer) => layer[0] + " " + number(layer[1][at])).join(", ");
      const start = iso(data.today - data.width * (count - at) + 1);
      if (total) svg.append(make("rect", { class: "hit", x: 40 + at * pitch, y: 8, width: pitch, height: 124 },
        make("title", {}, `${start}: ${number(total)} (${said})`)));
    });
    one("desc", svg).textContent = `${number(totals[0])} at the start, ${number(totals[count - 1])} in the last.`;
    one("#by").textContent = byUser ? "service" : one("#by").dataset.who;
    one("#legend").replaceChildren(...layers.map(([name, bars], at) => make("li", {},
      make("svg", { class: "key", viewBox: "0 0 10 10", "aria-hidden": "true" }, make("rect", { class: shade(at), width: 10, height: 10 })),
      " " + name + " ", make("span", { class: "sum" }, number(sum(bars))))));
    return "";
  };
  const ceiling = (value) => {
    for (let unit = 1; ; unit *= 10)
      for (const factor of unit === 1 ? [2, 4, 6, 8, 10] : [2, 3, 4, 5, 6, 8, 10]) if (value <= factor * unit) return factor * unit;
  };

  const filter = () => {
    const choice = chosen();
    const any = CHOICES.some((id) => choice[id]);
    if (any) complete();
    else if (whole === undefined) return tell();
    const numbers = choice.service || choice.who;
    for (const row of rows) {
      const cells = fitting(row, choice);
      row.shown = cells !== null;
      row.tr.hidden = !row.shown;
      const opened = row.tr.nextElementSibling;
      if (opened?.className === "opened") opened.hidden = !row.shown;
      row.left = cells ?? [];
      row.sums = counted(row.left);
      const texts = numbers && cells
        ? [row.sums.last || "never", row.sums.names, number(row.sums.week), change(row.sums.week, row.sums.before, row.sums.total, row.sums.last)]
        : row.was.slice(3);
      texts.forEach((text, at) => { row.tr.cells[at + 3].textContent = text; });
    }
    const shown = rows.filter((row) => row.shown);
    if (any) {
      const [week, before, total] = ["week", "before", "total"].map((name) => sum(shown.map((row) => row.sums[name])));
      const against = change(week, before, total, total);
      one("#week").textContent = number(week);
      one("#change").textContent = against.endsWith("%") ? ", " + against + " in a week" : "";
      one("#outlook").textContent = "";
      one("#quiet").textContent = number(shown.filter((row) => !row.sums.total).length) + " of " + number(shown.length) +
        " moves had no use.";
      const verdicts = all("#verdict option").map((option) => option.value).filter(Boolean);
      one("#counts").replaceChildren(...verdicts.map((verdict) => [verdict, shown.filter((row) =>
        verdict === "overdue" ? row.late : row.verdict === verdict).length]).filter((pair) => pair[1]).map(([verdict, count]) =>
        make("li", {}, make("b", { class: "v " + verdict.replace(" ", "-") }, number(count)), " " + verdict)));
      list("#late", shown.filter((row) => row.late).slice(0, LISTED).map(entry), "Nothing is overdue.");
      list("#gone", shown.filter((row) => row.verdict === "may go").slice(0, LISTED).map(entry), "Nothing yet.");
      list("#left", people(shown), "Nobody: no use in this period.");
      for (const id of ["#more-left", "#ending"]) if (one(id)) one(id).hidden = true;
      draw(choice.service, choice.who);
    } else restore();
    one("#none").hidden = shown.length > 0;
    tell();
  };
  const KEPT = ["#week", "#change", "#outlook", "#quiet", "#counts", "#late", "#gone", "#left", ".chart", "#legend", "#by"];
  const keep = () => new Map(KEPT.map((id) => [id, one(id)?.cloneNode(true)]));
  const restore = () => {
    for (const [id, node] of whole) if (node) one(id).replaceWith(node.cloneNode(true));
    for (const id of ["#more-left", "#ending"]) if (one(id)) one(id).hidden = false;
  };
  const tell = () => {
    const shown = rows.filter((row) => row.shown).length;
    one("#shown").textContent = number(shown) + " of " + number(data.moves.length) + " moves";
  };

  // A move opens below its row.
  const shut = (row) => {
    const next = row.tr.nextElementSibling;
    if (next?.className !== "opened") return false;
    next.remove();
    one("a", row.tr).setAttribute("aria-expanded", "false");
    return true;
  };
  const open = (row) => {
    if (row.tr.nextElementSibling?.className === "opened") return;
    const body = one("details", parsed(row.text));
    one("summary", body).remove();
    row.tr.after(make("tr", { class: "opened" }, make("td", { colspan: 7 }, ...body.childNodes)));
    one("a", row.tr).setAttribute("aria-expanded", "true");
  };
  const target = (hash) => {
    if (!/^#m\d+$/.test(hash)) return;
    if (!rows.some((row) => "#m" + (row.at + 1) === hash)) complete();
    const row = rows.find((each) => "#m" + (each.at + 1) === hash);
    if (!row) return;
    if (row.tr.hidden) {
      for (const id of CHOICES) one("#" + id).value = "";
      filter();
    }
    open(row);
    one("a", row.tr).focus({ preventScroll: true });
    row.tr.scrollIntoView();
  };

  const sort = () => {
    if (state.column < 0) return;
    complete();
    const at = state.column, sign = state.down ? -1 : 1;
    const value = (row) => {
      const text = row.tr.cells[at].textContent;
      return at === 5 ? Number(text.replaceAll(",", "")) : at === 6 ? parseFloat(text) || (text === "new" ? Infinity : -100) : text;
    };
    const ordered = rows.map((row) => [value(row), row]).sort(([a, x], [b, y]) => (a < b ? -sign : a > b ? sign : x.at - y.at));
    const opened = new Map(rows.map((row) => [row, row.tr.nextElementSibling]));
    const body = one("#table").tBodies[0];
    for (const [, row] of ordered) {
      body.append(row.tr);
      if (opened.get(row)?.className === "opened") body.append(opened.get(row));
    }
    all("#table thead th").forEach((head, column) => {
      if (column === at) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  };

  const wire = () => {
    if (!one("#table")) return;
    data = JSON.parse(one("#data").textContent);
    rows = all("#table tbody tr").map(read);
    const by = one("#by");
    if (by) {
      by.dataset.by = by.textContent;
      by.dataset.who = one("label:has(#who) span").textContent.trim().toLowerCase();
    }
    whole = keep();
    all("#table thead th").forEach((head, at) => {
      const button = make("button", { type: "button" }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        state.down = state.column === at ? !state.down : head.classList.contains("n");
        state.column = at;
        sort();
      });
    });
    all("#table tbody a").forEach((each) => each.setAttribute("aria-expanded", "false"));
    for (const id of CHOICES) for (const event of ["input", "change"]) one("#" + id).addEventListener(event, filter);
    one("#filters").addEventListener("submit", (event) => event.preventDefault());
    one("#more").hidden = !one("#rest");
    one("#more").addEventListener("click", () => {
      complete();
      filter();
      tell();
    });
    one("main").addEventListener("click", (event) => {
      const clicked = event.target.closest("a[href^='#m']");
      if (!clicked || clicked.hash === "#moves") return;
      event.preventDefault();
      const row = rows.find((each) => each.tr.contains(clicked));
      if (!row || !shut(row)) {
        if (row) open(row);
        else target(clicked.hash);
      }
    });
    tell();
  };

  one("#theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  addEventListener("hashchange", () => rows && target(location.hash));
  addEventListener("keydown", (event) => {
    const field = one("#filter");
    if (event.key !== "/" || !field || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    field.focus();
  });

  // Behind a server: take the new content over, keep what the reader has chosen.
  const refresh = async () => {
    try {
      // Resolved against the origin: an address that held a password must not be fetched as it was typed.
      const answer = await fetch(location.origin + location.pathname + location.search, { cache: "no-store" });
      if (!answer.ok) return;
      const text = await answer.text();
      const fresh = new DOMParser().parseFromString(text, "text/html");
      const busy = document.activeElement && document.activeElement !== document.body && one("main").contains(document.activeElement);
      const content = one("main", fresh).innerHTML;
      if (busy || content === refresh.seen) return;
      refresh.seen = content;
      // In a document without scripts a noscript has elements; here it has text.
      for (const each of all("noscript", fresh)) each.textContent = each.innerHTML;
      const names = new Set((rows ?? []).filter((row) => row.tr.nextElementSibling?.className === "opened").map((row) => row.name));
      const kept = rows ? chosen() : {};
      const ids = rows ? CHOICES.map((id) => [id, one("#" + id).selectedOptions?.[0]?.textContent]) : [];
      one("main").replaceWith(document.adoptNode(one("main", fresh)));
      one("#evidence").textContent = one("#evidence", fresh).textContent;
      rows = undefined;
      wire();
      if (!rows) return;
      // A service may have another number by now: the choice is taken over by its name.
      for (const [id, name] of ids) {
        const option = name && all(`#${id} option`).find((each) => each.textContent === name);
        if (id === "filter") one("#filter").value = kept.filter ?? "";
        else if (option) one("#" + id).value = option.value;
      }
      filter();
      sort();
      if (names.size) complete();
      rows.filter((row) => names.has(row.name)).forEach(open);
    } catch { /* The server went away: the page stays as it is. */ }
  };
  wire();
  if (rows) target(location.hash);
  if (root.dataset.live) {
    refresh.seen = one("main").innerHTML;
    setInterval(refresh, Number(root.dataset.live) * 1000);
  }
})();
