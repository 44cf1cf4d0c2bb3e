// The script that the development server adds to every page.
//
// It listens to /.ssg/events: reloads (the browser keeps the scroll position),
// swaps stylesheets in place, shows errors over the page and takes them away.
// Threads: immutable.
#ifndef SSG_SERVE_RELOAD_SCRIPT_H_
#define SSG_SERVE_RELOAD_SCRIPT_H_

namespace ssg {

inline constexpr char kReloadScript[] = R"script(<script>(() => {
  const key = "ssg-scroll:" + location.pathname;
  const kept = sessionStorage.getItem(key);
  if (kept !== null) {
    sessionStorage.removeItem(key);
    addEventListener("load", () => scrollTo({ top: Number(kept), behavior: "instant" }));
  }
  const events = new EventSource("/.ssg/events");
  const clear = () => document.getElementById("ssg-errors")?.remove();
  events.addEventListener("reload", () => {
    sessionStorage.setItem(key, String(scrollY));
    location.reload();
  });
  events.addEventListener("css", async () => {
    clear();
    // Names carry fingerprints: the page itself says what they are now.
    const text = await (await fetch(location.pathname)).text();
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelectorAll("link[rel=stylesheet]");
    const old = document.querySelectorAll("link[rel=stylesheet]");
    fresh.forEach((link, i) => {
      const next = document.createElement("link");
      next.rel = "stylesheet";
      const url = new URL(link.getAttribute("href"), location.href);
      url.searchParams.set("t", Date.now());
      next.href = url;
      next.onload = () => old[i]?.remove();
      (old[i] ?? document.head.lastChild).after(next);
    });
  });
  events.addEventListener("error", (event) => {
    if (event.data === undefined) return;
    clear();
    const box = document.createElement("div");
    box.id = "ssg-errors";
    box.setAttribute("role", "alert");
    box.style.cssText = "position:fixed;inset:0;z-index:99999;overflow:auto;padding:2rem;background:#1b1f24f2;color:#f0f3f6;font:14px/1.5 ui-monospace,monospace";
    const title = document.createElement("h1");
    title.textContent = "The site could not be built";
    title.style.cssText = "font:600 20px system-ui;color:#ff8b82;margin:0 0 1rem";
    box.append(title);
    for (const { where, message } of JSON.parse(event.data)) {
      const place = document.createElement("div"), text = document.createElement("pre");
      place.textContent = where;
      place.style.color = "#79c0ff";
      text.textContent = message;
      text.style.cssText = "white-space:pre-wrap;margin:0 0 1rem;background:none;border:0;color:inherit;padding:0";
      box.append(place, text);
    }
    document.body.append(box);
  });
  events.addEventListener("hello", clear);
})();</script>
)script";

}  // namespace ssg

#endif  // SSG_SERVE_RELOAD_SCRIPT_H_
