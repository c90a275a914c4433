"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("files");
  const body = table.tBodies[0];
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const svgSpace = "http://www.w3.org/2000/svg";
  document.documentElement.classList.add("scripted");
  for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;

  const make = (name, attributes = {}, text = "") => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };
  const draw = (name, attributes = {}, text = "") => {
    const element = document.createElementNS(svgSpace, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };
  const clock = (seconds) => {
    const tenths = Math.max(0, Math.floor(seconds * 10 + 1e-6));
    const [hours, minutes] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60];
    const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
  };

  // Rows that are no part of the page yet: name, status, class, and a pair of text and number each.
  for (const [index, name, status, kind, cells] of data.rows) {
    const row = make("tr", { id: `f${index}` });
    const head = make("th", { scope: "row" });
    head.append(make("button", { type: "button", "data-file": index, "aria-expanded": "false" }, name));
    row.append(head, make("td", { class: kind }, status));
    cells.forEach(([text, number, wide], at) => {
      const cell = make("td", { class: wide ? "number wide" : "number" }, text);
      if (number !== null) cell.dataset.v = number;
      row.append(cell);
    });
    body.append(row);
  }
  const rows = [...body.rows];

  // Sorting.
  const value = (row, column) => {
    const cell = row.cells[column];
    if (column < 2) return cell.textContent.toLowerCase();
    return "v" in cell.dataset ? Number(cell.dataset.v) : -Infinity;
  };
  const closePanels = () => {
    for (const button of body.querySelectorAll("button[aria-expanded=true]")) button.click();
  };
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const descends = head.getAttribute("aria-sort") === "ascending";
      closePanels();
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descends ? "descending" : "ascending");
      const keyed = rows.map((row) => [value(row, column), row]);
      keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (descends ? -1 : 1));
      body.append(...keyed.map(([, row]) => row));
    });
  });

  // Filtering.
  const [search, status] = [document.getElementById("search"), document.getElementById("status")];
  const shown = document.getElementById("shown");
  const filter = () => {
    const [wanted, kind] = [search.value.toLowerCase(), status.value];
    closePanels();
    let count = 0;
    for (const row of rows) {
      const fits = row.cells[0].textContent.toLowerCase().includes(wanted)
        && (kind === "" || row.cells[1].className.split(" ").includes(kind));
      row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${rows.length} files`;
  };
  search.addEventListener("input", filter);
  status.addEventListener("change", filter);
  filter();

  // Where a time went, and where it came from.
  const places = (picture) => {
    const points = [[0, 0]];
    picture.places_ms.forEach((ms, at) => {
      const input = (at + 1) * picture.place_seconds;
      if (input < picture.input_seconds) points.push([input, ms / 1000]);
    });
    points.push([picture.input_seconds, picture.output_seconds]);
    return points;
  };
  const lookUp = (points, time, from, to) => {
    let at = points.findIndex((point) => point[from] >= time);
    if (at <= 0) return at === 0 ? points[0][to] : points[points.length - 1][to];
    const [a, b] = [points[at - 1], points[at]];
    const run = b[from] - a[from];
    return run > 0 ? a[to] + ((time - a[from]) * (b[to] - a[to])) / run : b[to];
  };

  const [width, wave, gap, top] = [1000, 80, 60, 16];
  const waveform = (peaks, kind, y, scale) => {
    const half = wave / 2;
    const step = peaks.seconds * scale;
    let above = "";
    let below = "";
    [...peaks.peaks].forEach((digit, at) => {
      const height = Math.max(0.5, (digits.indexOf(digit) / 63) ** 2 * half);
      const [left, right] = [(at * step).toFixed(1), ((at + 1) * step).toFixed(1)];
      above += `L${left} ${(y + half - height).toFixed(1)}L${right} ${(y + half - height).toFixed(1)}`;
      below = `L${right} ${(y + half + height).toFixed(1)}L${left} ${(y + half + height).toFixed(1)}` + below;
    });
    return draw("path", { class: kind, d: `M0 ${y + half}${above}${below}Z` });
  };

  const figure = (name, picture, players) => {
    const longest = Math.max(picture.input_seconds, picture.output_seconds, 0.001);
    const scale = width / longest;
    const points = places(picture);
    const second = top + wave + gap;
    const height = second + wave + 18;
    const svg = draw("svg", {
      class: "picture", viewBox: `0 0 ${width} ${height}`, tabindex: "0", role: "slider",
      "aria-label": `Position in ${name}, in the audio before`,
      "aria-valuemin": "0", "aria-valuemax": picture.input_seconds.toFixed(1),
    });
    svg.append(draw("text", { x: 2, y: 12 }, `before, ${clock(picture.input_seconds)}`));
    svg.append(draw("text", { x: 2, y: height - 5 }, `after, ${clock(picture.output_seconds)}`));
    for (let at = 1; at < points.length; at++) {
      const [[from, start], [to, end]] = [points[at - 1], points[at]];
      const share = to > from ? 1 - (end - start) / (to - from) : 0;
      if (share > 0.02) {
        svg.append(draw("rect", {
          class: "cut", x: (from * scale).toFixed(1), y: top, height: wave,
          width: ((to - from) * scale).toFixed(1), "fill-opacity": (share * 0.45).toFixed(2),
        }));
      }
    }
    svg.append(waveform(picture.before, "before", top, scale));
    svg.append(waveform(picture.after, "after", second, scale));
    const chapters = picture.chapters ?? [];
    const way = (input, output, kind) => svg.append(draw("line", {
      class: kind, x1: (input * scale).toFixed(1), y1: top + wave, x2: (output * scale).toFixed(1), y2: second,
    }));
    if (chapters.length > 0) {
      for (const chapter of chapters) {
        way(chapter.input_seconds, chapter.output_seconds, "chapter");
        const at = Math.min(chapter.output_seconds * scale + 3, width - 60);
        svg.append(draw("text", { x: at.toFixed(1), y: second - 6 }, chapter.title.slice(0, 30)));
      }
    } else {
      const step = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600].find((step) => longest / step <= 60) ?? 7200;
      for (let time = 0; time <= picture.input_seconds; time += step) {
        way(time, lookUp(points, time, 0, 1), "way");
      }
    }
    const cursors = [[top, top + wave], [second, second + wave]].map(([y1, y2]) => {
      const line = draw("line", { class: "cursor", x1: 0, x2: 0, y1, y2 });
      svg.append(line);
      return line;
    });
    let position = 0;
    const show = (input, output) => {
      position = input;
      [input, output].forEach((time, at) => {
        cursors[at].setAttribute("x1", time * scale);
        cursors[at].setAttribute("x2", time * scale);
      });
      svg.setAttribute("aria-valuenow", input.toFixed(1));
      svg.setAttribute("aria-valuetext", `${clock(input)} before, ${clock(output)} after`);
    };
    const go = (input, output) => {
      show(input, output);
      [input, output].forEach((time, at) => {
        if (players[at]) players[at].currentTime = time;
      });
    };
    const goTo = (input) => {
      const bounded = Math.min(Math.max(input, 0), picture.input_seconds);
      go(bounded, lookUp(points, bounded, 0, 1));
    };
    svg.addEventListener("click", (event) => {
      const box = svg.getBoundingClientRect();
      const time = ((event.clientX - box.left) / box.width) * longest;
      const y = ((event.clientY - box.top) / box.height) * height;
      if (y < top + wave + gap / 2) goTo(time);
      else {
        const bounded = Math.min(time, picture.output_seconds);
        go(lookUp(points, bounded, 1, 0), bounded);
      }
    });
    svg.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
      if (event.key in steps) goTo(position + steps[event.key]);
      else if (event.key === "Home") goTo(0);
      else if (event.key === "End") goTo(picture.input_seconds);
      else return;
      event.preventDefault();
    });
    players.forEach((player, at) => player?.addEventListener("timeupdate", () => {
      if (player.paused) return;
      const time = player.currentTime;
      if (at === 0) show(time, lookUp(points, time, 0, 1));
      else show(lookUp(points, time, 1, 0), time);
    }));
    show(0, 0);
    return svg;
  };

  // The panel of a file, below its row.
  const open = (row, button) => {
    const [before, after, output, picture, texts] = data.files[button.dataset.file];
    const name = button.textContent;
    const panel = make("tr", { class: "panel", id: `p${button.dataset.file}` });
    const cell = make("td", { colspan: String(heads.length) });
    panel.append(cell);
    const place = make("div", { class: "players" });
    const players = [["Before", before, name], ["After", after, output]].map(([title, link, text]) => {
      if (!link) return null;
      const box = make("div");
      const player = make("audio", { controls: "", preload: "metadata", src: link, "aria-label": `${title}: ${text}` });
      const label = make("p", {}, `${title}: `);
      label.append(make("a", { href: link }, text));
      player.addEventListener("error", () => {
        box.append(make("p", { class: "soft", role: "status" },
          "It cannot be played here: it is not in this place, or this browser does not know its format."));
      });
      box.append(label, player);
      place.append(box);
      return player;
    });
    if (picture) cell.append(figure(name, picture, players));
    cell.append(place);
    if (texts.length > 0) {
      const list = make("ul", { class: "texts" });
      for (const text of texts) list.append(make("li", {}, text));
      cell.append(list);
    }
    row.after(panel);
  };
  body.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-file]");
    if (!button) return;
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) document.getElementById(`p${button.dataset.file}`)?.remove();
    else open(button.closest("tr"), button);
  });
  for (const link of document.querySelectorAll("a[data-to]")) {
    link.addEventListener("click", () => {
      const button = document.querySelector(`#f${link.dataset.to} button`);
      if (button?.getAttribute("aria-expanded") === "false") button.click();
    });
  }
})();
