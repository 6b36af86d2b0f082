"use strict";
(function () {
  var cards = Array.from(document.querySelectorAll(".card"));
  var groups = Array.from(document.querySelectorAll(".group"));
  var feeds = Array.from(document.querySelectorAll(".feeds li"));
  var words = document.getElementById("words");
  var found = document.getElementById("found");
  var chips = Array.from(document.querySelectorAll(".chips button"));
  var texts = new Map();

  function textOf(node) {
    if (!texts.has(node)) texts.set(node, node.textContent.toLowerCase());
    return texts.get(node);
  }

  function filter() {
    var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    var services = chips.filter(function (chip) { return chip.getAttribute("aria-pressed") === "true"; })
      .map(function (chip) { return chip.dataset.service; });
    function says(node) { return wanted.every(function (word) { return textOf(node).includes(word); }); }
    var shown = 0;
    cards.forEach(function (card) {
      card.hidden = !(says(card) && (!services.length || services.includes(card.dataset.service)));
      if (!card.hidden) shown += 1;
    });
    groups.forEach(function (group) { group.hidden = !group.querySelector(".card:not([hidden])"); });
    feeds.forEach(function (feed) { feed.hidden = !says(feed); });
    found.textContent = wanted.length || services.length ? shown + " of " + cards.length : "";
  }

  function distance(minutes) {
    if (minutes < 60) return minutes + " min";
    var hours = Math.floor(minutes / 60);
    if (hours < 48) return hours + (hours === 1 ? " hour" : " hours");
    return Math.floor(hours / 24) + " days";
  }

  function count() {
    document.querySelectorAll("[data-words]").forEach(function (label) {
      var minutes = Math.floor((new Date(label.nextElementSibling.dateTime) - Date.now()) / 60000);
      var isEnd = label.dataset.words === "ends in";
      label.textContent = minutes < 0 ? (isEnd ? "has ended" : "has started") : label.dataset.words + " " + distance(minutes);
      label.classList.toggle("hot", isEnd && minutes >= 0 && minutes < 1440);
      label.classList.toggle("over", isEnd && minutes < 0);
    });
  }

  document.querySelectorAll("time").forEach(function (time) {
    var at = new Date(time.dateTime);
    var style = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
    if (at.getFullYear() !== new Date().getFullYear()) style.year = "numeric";
    time.title = time.textContent;
    time.textContent = new Intl.DateTimeFormat(undefined, style).format(at);
  });
  document.querySelectorAll(".card img").forEach(function (picture) {
    picture.addEventListener("error", function () { picture.remove(); });
  });
  chips.forEach(function (chip) {
    chip.addEventListener("click", function () {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  });
  words.addEventListener("input", filter);
  document.getElementById("filter").hidden = false;
  count();
  setInterval(count, 60000);
})();
