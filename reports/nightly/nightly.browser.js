// Interactive parts of the page of nights: values under the pointer and by keyboard, a shorter range of nights, only
// moved series, and tables sorted by a click. It reads the page's attributes, and makes text, never markup.

/** @param {number} value @param {string | undefined} clock @returns {string} */
function amount(value, clock) {
  /** @type {readonly (readonly [number, string])[]} */
  const units =
    clock === 'count'
      ? [
          [1e3, 'G'],
          [1, 'M'],
          [1e-3, 'k'],
        ]
      : [
          [1e3, 's'],
          [1, 'ms'],
          [1e-3, 'µs'],
          [1e-6, 'ns'],
        ];
  const [size, unit] = units.find(([least]) => value >= least) ?? units[units.length - 1] ?? [1, ''];
  return `${Number((value / size).toPrecision(4))} ${unit}${clock === 'count' ? ' instructions' : ''}`;
}

/** @param {HTMLElement} section */
function benchmarks(section) {
  /** @type {readonly (readonly [string, string, string])[]} */
  const nights = JSON.parse(section.dataset['nights'] ?? '[]');
  const last = Math.max(1, nights.length - 1);
  let first = 0;
  const readout = document.createElement('output');
  readout.className = 'readout';
  readout.setAttribute('aria-live', 'polite');
  readout.hidden = true;

  /** @param {SVGSVGElement} svg */
  const valuesOf = (svg) => (svg.dataset['values'] ?? '').split(' ').map(Number);

  /** @param {SVGSVGElement} svg @param {number} night @returns {number | undefined} */
  const valueAt = (svg, night) => {
    const value = valuesOf(svg)[night - Number(svg.dataset['from'])];
    return value !== undefined && Number.isFinite(value) ? value : undefined;
  };

  /** @type {Map<SVGSVGElement, number>} */
  const chosen = new Map();

  /** @param {SVGSVGElement} svg @param {number} wanted */
  const show = (svg, wanted) => {
    const night = Math.min(nights.length - 1, Math.max(first, wanted));
    const value = valueAt(svg, night);
    const [date = '', commit = ''] = nights[night] ?? [];
    chosen.set(svg, night);
    readout.textContent = `${date} · ${commit} · ${value === undefined ? 'no figure' : amount(value, svg.dataset['clock'])}`;
    readout.hidden = false;
    svg.after(readout);
    let cursor = svg.querySelector('line');
    if (!cursor) {
      cursor = document.createElementNS('http://www.w3.org/2000/svg', 'line');
      cursor.setAttribute('class', 'cursor');
      cursor.setAttribute('y1', '0');
      cursor.setAttribute('y2', '100');
      svg.append(cursor);
    }
    const x = String(nights.length > 1 ? Math.round((1000 * night) / last) : 500);
    cursor.setAttribute('x1', x);
    cursor.setAttribute('x2', x);
  };

  /** @param {SVGSVGElement} svg */
  const hide = (svg) => {
    readout.hidden = true;
    svg.querySelector('line')?.remove();
  };

  /** @param {number} night */
  const open = (night) => {
    const href = nights[night]?.[2];
    if (href) location.href = href;
  };

  for (const svg of /** @type {NodeListOf<SVGSVGElement>} */ (section.querySelectorAll('svg[data-values]'))) {
    svg.setAttribute('tabindex', '0');
    svg.addEventListener('pointermove', (event) => {
      const box = svg.getBoundingClientRect();
      const share = (event.clientX - box.left) / Math.max(1, box.width);
      show(svg, Math.round(first + share * (nights.length - 1 - first)));
    });
    svg.addEventListener('pointerleave', () => hide(svg));
    svg.addEventListener('focus', () => show(svg, chosen.get(svg) ?? nights.length - 1));
    svg.addEventListener('blur', () => hide(svg));
    svg.addEventListener('dblclick', () => open(chosen.get(svg) ?? -1));
    svg.addEventListener('keydown', (event) => {
      const now = chosen.get(svg) ?? nights.length - 1;
      /** @type {Record<string, number>} */
      const moves = {
        ArrowLeft: now - 1,
        ArrowRight: now + 1,
        Home: first,
        End: nights.length - 1,
        PageUp: now - 10,
        PageDown: now + 10,
      };
      const move = moves[event.key];
      if (move !== undefined) {
        event.preventDefault();
        show(svg, move);
      } else if (event.key === 'Enter' && event.target === svg) open(now);
    });
  }

  const tools = /** @type {HTMLFormElement | null} */ (section.querySelector('form.tools'));
  if (!tools) return;
  tools.hidden = false;
  tools.addEventListener('change', () => {
    const data = new FormData(tools);
    section.classList.toggle('only-moved', data.has('moved'));
    const range = Number(data.get('range'));
    first = range > 0 ? Math.max(0, nights.length - range) : 0;
    const from = Math.round((1000 * first) / last);
    section.classList.toggle('zoomed', first > 0);
    for (const svg of section.querySelectorAll('svg[data-values]'))
      svg.setAttribute('viewBox', `${from} 0 ${Math.max(1, 1000 - from)} 100`);
    const shown = [first, Math.floor((first + nights.length - 1) / 2), nights.length - 1];
    for (const dates of section.querySelectorAll('.dates'))
      for (const [index, span] of [...dates.children].entries())
        span.textContent =
          nights[dates.children.length < 3 && index === 1 ? nights.length - 1 : (shown[index] ?? 0)]?.[0].slice(
            0,
            10,
          ) ?? '';
  });
}

/** @param {HTMLTableElement} table */
function sortable(table) {
  const heads = [...table.querySelectorAll('thead th')];
  for (const [column, head] of heads.entries()) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const descending = head.getAttribute('aria-sort') === 'ascending';
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      const [body] = table.tBodies;
      if (!body) return;
      /** @param {HTMLTableRowElement} row */
      const keyOf = (row) => {
        const cell = row.cells[column];
        return cell?.dataset['value'] ?? cell?.textContent ?? '';
      };
      const rows = [...body.rows].sort((a, b) => {
        const [one, other] = [keyOf(a), keyOf(b)];
        const apart = Number(one) - Number(other);
        return (Number.isNaN(apart) ? one.localeCompare(other) : apart) * (descending ? -1 : 1);
      });
      body.append(...rows);
    });
  }
}

const section = document.getElementById('benchmarks');
if (section) benchmarks(section);
for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll('table.sortable')))
  sortable(table);
