// Rows that open something. All text is set as text, never as HTML: traces are hostile.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const table = parentElement.querySelector("table");
  table.setAttribute("aria-label", data.label);

  const cell = (value, column, row, first) => {
    const td = document.createElement("td");
    td.className = [column.align ?? "left", value.look ?? "text"].join(" ");
    if (value.title) td.title = value.title;
    let holder = td;
    if (first && row.href) {
      holder = document.createElement("a");
      holder.href = row.href;
      td.append(holder);
    }
    if (value.look === "badge" || value.look === "bar") {
      const inner = document.createElement("span");
      inner.className = `${value.look} ${value.tone ?? ""}`;
      if (value.look === "bar") inner.style.setProperty("--share", `${value.percent ?? 0}%`);
      holder.append(inner);
      holder = inner;
    } else if (value.tone) {
      td.classList.add(value.tone);
    }
    holder.append(document.createTextNode(value.text));
    return td;
  };

  const head = document.createElement("thead");
  const names = head.insertRow();
  for (const column of data.columns) {
    const th = document.createElement("th");
    th.textContent = column.label;
    th.className = column.align ?? "left";
    if (column.width) th.style.width = column.width;
    if (column.title) th.title = column.title;
    names.append(th);
  }

  const body = document.createElement("tbody");
  for (const row of data.rows) {
    const tr = body.insertRow();
    tr.dataset.row = row.id;
    if (row.href) tr.classList.add("opens");
    if (row.selected) tr.classList.add("selected");
    row.cells.forEach((value, index) => {
      tr.append(cell(value, data.columns[index], row, index === 0));
    });
    if (!row.href) continue;
    tr.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      setTriggerValue("opened", row.id);
    };
  }
  table.replaceChildren(head, body);
}
