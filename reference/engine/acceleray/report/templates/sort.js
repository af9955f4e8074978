"use strict";
document.querySelectorAll("table.sortable").forEach(function (table) {
  const body = table.tBodies[0];
  const given = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);
  const value = function (row, column) {
    const cell = row.cells[column];
    const text = "value" in cell.dataset ? cell.dataset.value : cell.textContent.trim();
    return text !== "" && isFinite(text) ? Number(text) : text;
  };
  heads.forEach(function (head, column) {
    const button = document.createElement("button");
    button.type = "button";
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    const first = head.classList.contains("n") ? "descending" : "ascending";
    const second = first === "ascending" ? "descending" : "ascending";
    button.addEventListener("click", function () {
      const now = head.getAttribute("aria-sort");
      const next = now === first ? second : now === second ? "" : first;
      heads.forEach(function (one) { one.removeAttribute("aria-sort"); });
      const rows = given.slice();
      if (next) {
        head.setAttribute("aria-sort", next);
        const sign = next === "ascending" ? 1 : -1;
        rows.sort(function (a, b) {
          const x = value(a, column), y = value(b, column);
          // What is missing comes last, whichever way.
          if (x === "" || y === "") return (x === "") - (y === "");
          if (typeof x === "number" && typeof y === "number") return sign * (x - y);
          return sign * String(x).localeCompare(String(y));
        });
      }
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
});
