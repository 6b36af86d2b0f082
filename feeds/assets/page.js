"use strict";
(function () {
  var root = document.body.dataset.root;
  function all(selector) { return Array.from(document.querySelectorAll(selector)); }
  function at(id) { return document.getElementById(id); }

  /* Times: the reader's own zone, with UTC as the title. */
  var thisYear = new Date().getFullYear();
  function local(when, isDay) {
    var style = isDay ? { day: "numeric", month: "short", year: "numeric" }
      : { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
    if (!isDay && when.getFullYear() !== thisYear) style.year = "numeric";
    return new Intl.DateTimeFormat(undefined, style).format(when);
  }
  all("time").forEach(function (time) {
    if (time.dateTime.indexOf("T") < 0) return;
    time.title = time.textContent;
    time.textContent = local(new Date(time.dateTime), time.classList.contains("day"));
  });
  function distance(minutes) {
    if (minutes < 60) return minutes + " min";
    var hours = Math.floor(minutes / 60);
    if (hours < 48) return hours + (hours === 1 ? " hour" : " hours");
    return Math.floor(hours / 24) + " days";
  }
  function count() {
    all("[data-words]").forEach(function (label) {
      var moment = label.dataset.at || (label.nextElementSibling || {}).dateTime;
      if (!moment) return;
      var minutes = Math.floor((new Date(moment) - Date.now()) / 60000);
      var isEnd = label.dataset.words === "ends in";
      label.textContent = minutes < 0 ? (isEnd ? "has ended" : "has started") : label.dataset.words + " " + distance(minutes);
      label.classList.toggle("hot", isEnd && minutes >= 0 && minutes < 1440);
      label.classList.toggle("over", isEnd && minutes < 0);
    });
  }
  count();
  setInterval(count, 60000);
  all("img").forEach(function (picture) {
    // One that has failed before this script came tells nobody any more.
    if (picture.complete && !picture.naturalWidth) picture.remove();
    else picture.addEventListener("error", function () { picture.remove(); });
  });

  /* Filters: what is on the page, by words and by chips. */
  var filter = at("filter");
  if (filter) {
    var words = at("words");
    var entries = all("main .row, main .group .news > li, main .feeds > li, main .item-row");
    var groups = all("main .group");
    var texts = new Map();
    var chips = Array.from(filter.querySelectorAll("[aria-pressed]"));
    function textOf(node) {
      if (!texts.has(node)) texts.set(node, node.textContent.toLowerCase());
      return texts.get(node);
    }
    function pressed(name) {
      return chips.filter(function (chip) { return chip.getAttribute("aria-pressed") === "true" && chip.dataset[name]; })
        .map(function (chip) { return chip.dataset[name]; });
    }
    function apply() {
      var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      var services = pressed("service");
      var families = pressed("family");
      var shown = 0;
      entries.forEach(function (node) {
        var isService = !services.length || (node.dataset.service || "").split(" ").some(function (each) { return services.includes(each); });
        var isFamily = !families.length || families.includes(node.dataset.family);
        node.hidden = !(isService && isFamily && wanted.every(function (word) { return textOf(node).includes(word); }));
        if (!node.hidden) shown += 1;
      });
      groups.forEach(function (group) {
        group.hidden = !group.querySelector(".row:not([hidden]), .news > li:not([hidden]), .feeds > li:not([hidden]), .item-row:not([hidden])");
      });
      at("found").textContent = wanted.length || services.length || families.length ? shown + " of " + entries.length : "";
    }
    chips.forEach(function (chip) {
      chip.addEventListener("click", function () {
        chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
        apply();
      });
    });
    words.addEventListener("input", apply);
    filter.hidden = false;
  }

  /* Search: over an index of all pages, which is fetched when somebody begins to write. */
  var box = at("search");
  var index = null;
  function slug(name) {
    return name.normalize("NFKD").replace(/[^\x00-\x7f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60).replace(/-+$/, "");
  }
  function key(text) { return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase(); }
  function load() {
    if (!index) {
      index = fetch(root + "search.json").then(function (answer) {
        if (!answer.ok) throw new Error(answer.status);
        return answer.json();
      }).then(function (pages) {
        return pages.groups.flatMap(function (group) {
          return group.pages.map(function (page) {
            var name = page[0], tail = page[1];
            if (/^[0-9a-f]{8}$/.test(tail)) tail = [slug(name), tail].filter(Boolean).join("-");
            return { name: name, key: key(name), what: group.what, path: group.folder + tail + ".html" };
          });
        });
      });
    }
    return index;
  }
  function rank(page, wanted) {
    if (page.key === wanted) return 0;
    if (page.key.startsWith(wanted)) return 1;
    return page.key.includes(" " + wanted) ? 2 : 3;
  }
  function find() {
    var wanted = key(at("q").value.trim());
    var hits = at("hits"), said = at("hits-said");
    if (!wanted) { hits.replaceChildren(); said.textContent = ""; return; }
    load().then(function (pages) {
      if (key(at("q").value.trim()) !== wanted) return;
      var parts = wanted.split(/\s+/);
      var matches = pages.filter(function (page) { return parts.every(function (part) { return page.key.includes(part); }); });
      matches.sort(function (a, b) { return rank(a, wanted) - rank(b, wanted) || a.name.length - b.name.length || a.name.localeCompare(b.name); });
      hits.replaceChildren.apply(hits, matches.slice(0, 8).map(function (page) {
        var link = document.createElement("a"), what = document.createElement("span"), entry = document.createElement("li");
        link.href = root + page.path;
        link.textContent = page.name;
        what.textContent = page.what;
        link.append(what);
        entry.append(link);
        return entry;
      }));
      said.textContent = matches.length ? "" : "No page of that name.";
    }, function () { index = null; said.textContent = "The index could not be read."; });
  }
  if (box && /^https?:$/.test(location.protocol)) {
    box.hidden = false;
    at("q").addEventListener("input", find);
    box.addEventListener("keydown", function (press) {
      var links = Array.from(at("hits").querySelectorAll("a"));
      var now = links.indexOf(document.activeElement);
      if (press.key === "Escape") { at("q").value = ""; find(); at("q").focus(); }
      else if (press.key === "ArrowDown" && links.length) { links[Math.min(now + 1, links.length - 1)].focus(); press.preventDefault(); }
      else if (press.key === "ArrowUp" && links.length) { (now > 0 ? links[now - 1] : at("q")).focus(); press.preventDefault(); }
      else if (press.key === "Enter" && now < 0 && links.length) links[0].click();
    });
    at("hits").addEventListener("pointerdown", function (press) { press.preventDefault(); });
    box.addEventListener("focusout", function (leave) {
      if (!box.contains(leave.relatedTarget)) { at("hits").replaceChildren(); at("hits-said").textContent = ""; }
    });
    document.addEventListener("keydown", function (press) {
      if (press.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { at("q").focus(); press.preventDefault(); }
    });
  }

  /* Feeds: a button that copies the address in the format that is chosen. */
  var choice = at("format");
  function copy(button) {
    var ending = choice ? choice.value : button.dataset.ending || ".rss.xml";
    // Not every feed has a calendar.
    if (ending === ".ics" && !button.closest("[data-calendar]")) ending = ".rss.xml";
    var only = button.closest("[data-only]");
    if (only) ending = only.dataset.only;
    var address = new URL(root + button.dataset.feed + ending, location.href).href;
    function show() { window.prompt("The feed's address", address); }
    // Browsers have no clipboard for pages that come by plain HTTP from another machine.
    if (!navigator.clipboard) { show(); return; }
    navigator.clipboard.writeText(address).then(function () { button.textContent = "Copied"; }, show);
    setTimeout(function () { button.textContent = "Copy"; }, 2000);
  }
  if (choice) at("choice").hidden = false;
  all("[data-feed]").forEach(function (holder) {
    var button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.dataset.feed = holder.dataset.feed;
    button.setAttribute("aria-label", "Copy the address of the feed: " + (holder.dataset.title || holder.textContent.trim()));
    button.addEventListener("click", function () { copy(button); });
    (holder.querySelector(".formats") || holder).append(button);
  });

  /* Chapters: a link to one plays from there. */
  var player = at("player");
  if (player) all("[data-seek]").forEach(function (link) {
    link.addEventListener("click", function (click) {
      click.preventDefault();
      function seek() { player.currentTime = Number(link.dataset.seek); }
      if (player.readyState) seek();
      else player.addEventListener("loadedmetadata", seek, { once: true });
      player.play();
    });
  });

  /* Rewards: the page shows the newest, the file beside it holds all. */
  var table = at("all-rewards");
  if (table && filter && /^https?:$/.test(location.protocol)) {
    var rewards = null;
    words.addEventListener("input", function () {
      var wanted = key(words.value.trim());
      if (wanted.length < 2) { at("older").hidden = true; return; }
      rewards = rewards || fetch(root + "rewards-index.json").then(function (answer) { return answer.json(); });
      rewards.then(function (file) {
        if (key(words.value.trim()) !== wanted) return;
        var parts = wanted.split(/\s+/);
        var shown = Number(table.dataset.shown);
        var matches = file.items.slice(shown).filter(function (item) {
          var text = key(item[0] + " " + file.games[item[1]]);
          return parts.every(function (part) { return text.includes(part); });
        });
        at("older").hidden = !matches.length;
        at("older-rows").replaceChildren.apply(at("older-rows"), matches.slice(0, 200).map(function (item) {
          var row = document.createElement("li"), name = document.createElement("b");
          name.textContent = item[0];
          row.append(name, " " + file.games[item[1]] + (item[2] ? ", until " + local(new Date(item[2]), true) : ""));
          return row;
        }));
      });
    });
  }
})();
