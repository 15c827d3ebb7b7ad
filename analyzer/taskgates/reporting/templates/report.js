(() => {
  const root = document.documentElement;
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const findings = all("article.finding");
  const severities = all(".filters button[data-severity]");
  const rule = document.getElementById("rule");
  const task = document.getElementById("task");
  const words = document.getElementById("words");
  const shown = document.getElementById("shown");

  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  if (!findings.length) return;

  const texts = new Map(findings.map((finding) => [finding, finding.textContent.toLowerCase()]));
  const tasks = new Map(findings.map((finding) => [finding, new Set(JSON.parse(finding.dataset.tasks))]));

  const apply = () => {
    const pressed = new Set(
      severities.filter((button) => button.getAttribute("aria-pressed") === "true").map((button) => button.dataset.severity),
    );
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const finding of findings) {
      const visible =
        pressed.has(finding.dataset.severity) &&
        (!rule.value || finding.dataset.rule === rule.value) &&
        (!task.value || tasks.get(finding).has(task.value)) &&
        wanted.every((word) => texts.get(finding).includes(word));
      finding.hidden = !visible;
      count += visible;
    }
    for (const group of all("section.group")) {
      group.hidden = !group.querySelector("article.finding:not([hidden])");
    }
    shown.textContent = `${count} of ${findings.length} shown`;
    document.getElementById("none-shown").hidden = count > 0;
  };

  for (const button of severities) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  }
  rule.addEventListener("change", apply);
  task.addEventListener("change", apply);
  words.addEventListener("input", apply);
  for (const link of all("a[data-task]")) {
    link.addEventListener("click", () => {
      task.value = link.dataset.task;
      apply();
    });
  }
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  });
  document.querySelector(".filters").hidden = false;
  apply();
})();
