// The default theme's behaviour: menu, light and dark, copying code, search.
// Everything works without it, except search.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const show = (element) => { if (element) element.hidden = false; };

  const sidebar = one(".sidebar"), navToggle = one(".nav-toggle");
  const phone = matchMedia("(max-width: 48rem)");
  const place = () => { if (navToggle && sidebar) navToggle.hidden = !phone.matches; };
  place();
  phone.addEventListener("change", place);
  navToggle?.addEventListener("click", () => {
    navToggle.setAttribute("aria-expanded", String(sidebar.classList.toggle("open")));
  });

  const themeToggle = one(".theme-toggle");
  show(themeToggle);
  themeToggle?.addEventListener("click", () => {
    const dark = getComputedStyle(root).colorScheme.includes("dark");
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });

  for (const pre of all("main pre")) {
    if (!navigator.clipboard) break;
    if (pre.scrollWidth > pre.clientWidth) pre.tabIndex = 0;
    const button = document.createElement("button");
    button.className = "copy";
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText((one("code", pre) ?? pre).innerText.replace(/Copy$/, ""));
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    pre.append(button);
  }

  const links = all(".toc a[href^='#']");
  if (links.length) {
    const byId = new Map(links.map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links) link.classList.remove("here");
        byId.get(entry.target.id)?.classList.add("here");
      }
    }, { rootMargin: "-10% 0px -75% 0px" });
    for (const id of byId.keys()) {
      const heading = document.getElementById(id);
      if (heading) seen.observe(heading);
    }
  }

  const dialog = one("dialog.search"), opener = one(".search-open");
  if (!dialog?.showModal) return;
  show(opener);
  const input = one("input", dialog), list = one("ul", dialog), status = one(".search-status", dialog);
  const base = `${root.dataset.base}/search/`;
  const files = new Map();
  const load = (name) => {
    if (!files.has(name)) {
      files.set(name, fetch(base + name).then((answer) => {
        if (!answer.ok) throw new Error(answer.statusText);
        return answer.json();
      }));
    }
    return files.get(name);
  };
  const open = () => { if (!dialog.open) { dialog.showModal(); input.select(); load("index.json").catch(() => {}); } };
  opener.addEventListener("click", open);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if ((event.key === "/" && !typing) || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      open();
    }
  });

  const tokens = (text) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  // Scores of the documents that hold a word starting with `word`.
  const find = async (word, index) => {
    let shard = 0;
    while (shard + 1 < index.terms.length && index.terms[shard + 1] <= word) ++shard;
    const scores = new Map();
    for (let at = shard; at < index.terms.length && (at === shard || index.terms[at].startsWith(word)); ++at) {
      const terms = await load(`terms-${at}.json`);
      for (const [term, hits] of Object.entries(terms)) {
        if (!term.startsWith(word)) continue;
        const exact = term === word ? 4 : 1;
        for (let i = 0; i < hits.length; i += 2) scores.set(hits[i], (scores.get(hits[i]) ?? 0) + hits[i + 1] * exact);
      }
    }
    return scores;
  };
  let turn = 0, selected = -1;
  const select = (at) => {
    const items = [...list.children];
    items[selected]?.setAttribute("aria-selected", "false");
    selected = items.length ? (at + items.length) % items.length : -1;
    const item = items[selected];
    item?.setAttribute("aria-selected", "true");
    item?.scrollIntoView({ block: "nearest" });
    if (item) input.setAttribute("aria-activedescendant", item.id); else input.removeAttribute("aria-activedescendant");
  };
  const search = async () => {
    const mine = ++turn;
    const words = tokens(input.value);
    if (!words.length) { list.replaceChildren(); status.textContent = ""; return; }
    const index = await load("index.json");
    const found = await Promise.all(words.map((word) => find(word, index)));
    const ranked = [...found[0]]
      .filter(([doc]) => found.every((scores) => scores.has(doc)))
      .map(([doc]) => [doc, found.reduce((sum, scores) => sum + scores.get(doc), 0)])
      .sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const docs = await Promise.all(ranked.slice(0, 20).map(async ([doc]) => {
      const shard = await load(`docs-${Math.floor(doc / index.docShard)}.json`);
      return shard[doc % index.docShard];
    }));
    if (mine !== turn) return;
    list.replaceChildren(...docs.map(([url, title, heading, text], i) => {
      const item = document.createElement("li"), link = document.createElement("a");
      item.id = `search-${i}`;
      item.role = "option";
      link.href = url;
      link.tabIndex = -1;
      const name = document.createElement("b"), more = document.createElement("small");
      name.textContent = heading ? `${title}: ${heading}` : title;
      more.textContent = text;
      link.append(name, more);
      item.append(link);
      return item;
    }));
    input.setAttribute("aria-expanded", String(docs.length > 0));
    status.textContent = ranked.length === 0 ? "Nothing found" : `${ranked.length} found`;
    selected = -1;
    select(0);
  };
  input.addEventListener("input", () => search().catch(() => { status.textContent = "The search index could not be loaded"; }));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      select(selected + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const link = list.children[selected]?.firstElementChild;
      if (link) { dialog.close(); location.href = link.href; }
    }
  });
})();
