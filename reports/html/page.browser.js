// The script of a run's page: it filters and sorts the tests, sorts the timings, opens what a link leads to, and copies
// links. Everything else works without it. It makes no markup: what a guest printed is only ever moved or compared.

{
  /** How many rows a sorted list shows at first. */
  const SORTED_ROWS = 500;
  /** With more matches than these, only the first stacks are unfolded. */
  const UNFOLDED_ROWS = 1000;

  const UNITS = { ns: 1e-6, µs: 1e-3, ms: 1, s: 1000, min: 60_000 };

  /** @typedef {{ row: HTMLTableRowElement, stack: HTMLDetailsElement, home: HTMLElement, next: Element | null, text: string, suite: string, classes: string[], times: number[], ratio: number, differs: boolean }} Entry */

  /** Milliseconds of `4 min 5 s`, `1.2 ms`; 0 where there is no time. @param {string} text */
  const timeIn = (text) => {
    let ms = 0;
    for (const [, amount, unit] of text.matchAll(/([\d.,]+)\s(ns|µs|ms|s|min)\b/g))
      ms += Number(String(amount).replaceAll(',', '')) * UNITS[/** @type {keyof typeof UNITS} */ (unit)];
    return ms;
  };

  /** @returns {Entry[]} */
  const entriesOf = () =>
    [...document.querySelectorAll('.stack')].flatMap((element) => {
      const stack = /** @type {HTMLDetailsElement} */ (element);
      const suite = stack.dataset['suite'] ?? '';
      return [...stack.querySelectorAll('tbody')].flatMap((body) => {
        const file = body.querySelector('.file')?.textContent ?? '';
        return [...body.querySelectorAll('tr[id]')].map((tr) => {
          const row = /** @type {HTMLTableRowElement} */ (tr);
          const [name, ...cells] = [...row.cells];
          const last = cells.at(-1);
          const difference = last?.classList.contains('d') ? cells.pop() : undefined;
          const ratio = Number(/([\d.,]+)×/.exec(difference?.textContent ?? '')?.[1]?.replaceAll(',', '') ?? 0);
          const differs = difference?.classList.contains('verdict') ?? false;
          return {
            row,
            stack,
            home: body,
            next: row.nextElementSibling,
            text: `${name?.textContent} ${file}`.toLowerCase(),
            suite,
            classes: cells.map((cell) => cell.className || 'passed'),
            times: cells.map((cell) => timeIn(cell.textContent ?? '')),
            ratio: differs ? Number.MAX_VALUE : ratio,
            differs,
          };
        });
      });
    });

  const form = /** @type {HTMLFormElement | null} */ (document.getElementById('filters'));
  /** @type {Entry[] | undefined} */
  let known;

  if (form) {
    form.hidden = false;
    const stacks = /** @type {HTMLDetailsElement[]} */ ([...document.querySelectorAll('.stack')]);
    const unfolded = new Map(stacks.map((stack) => [stack, stack.open]));
    const bodies = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.stack tbody')]);
    /** @type {HTMLTableElement | undefined} */
    let sortedTable;
    /** The rows that are in it. @type {Set<Entry>} */
    let moved = new Set();

    /** @param {string} name */
    const chosen = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).value;

    /** @param {Entry} entry @param {{ words: string[], verdict: string, arch: string, suite: string }} wanted */
    const matches = (entry, { words, verdict, arch, suite }) => {
      if (suite !== '' && entry.suite !== suite) return false;
      if (!words.every((word) => entry.text.includes(word))) return false;
      const classes = arch === '' ? entry.classes : [entry.classes[Number(arch)] ?? 'none'];
      if (arch !== '' && classes[0] === 'none') return false;
      if (verdict === '') return true;
      if (verdict === 'differs') return entry.differs;
      if (verdict === 'bad') return classes.some((one) => one !== 'passed' && one !== 'none' && one !== 'skipped');
      return classes.includes(verdict);
    };

    /** @param {Entry} entry @param {string} arch */
    const timeOf = (entry, arch) => (arch === '' ? Math.max(0, ...entry.times) : (entry.times[Number(arch)] ?? 0));

    /** Puts every row back to where it was. @param {Entry[]} entries */
    const restore = (entries) => {
      if (!sortedTable) return;
      for (const { row, home, next } of entries.filter((entry) => moved.has(entry)).toReversed()) {
        row.querySelector('.from')?.remove();
        home.insertBefore(row, next);
      }
      sortedTable.remove();
      sortedTable = undefined;
      moved = new Set();
      for (const stack of stacks) stack.hidden = false;
    };

    /** One list of all rows that match, in an order. @param {Entry[]} entries @param {number} limit */
    const list = (entries, limit) => {
      const model = /** @type {HTMLTableElement} */ (stacks[0]?.querySelector('table'));
      moved = new Set(entries.slice(0, limit));
      sortedTable = document.createElement('table');
      sortedTable.className = model.className;
      const head = /** @type {HTMLTableSectionElement} */ (model.tHead?.cloneNode(true));
      for (const verdict of head.querySelectorAll('th > div')) verdict.remove();
      const body = document.createElement('tbody');
      body.className = 'first';
      for (const { row, stack, home } of moved) {
        row.hidden = false;
        const from = document.createElement('small');
        from.className = 'from';
        const file = home.querySelector('.file')?.textContent;
        from.textContent = ` ${[file, stack.querySelector('h3')?.textContent].filter(Boolean).join(' · ')}`;
        row.cells[0]?.append(from);
        body.append(row);
      }
      sortedTable.append(head, body);
      form.after(sortedTable);
      for (const stack of stacks) stack.hidden = true;
    };

    const apply = () => {
      known ??= entriesOf();
      restore(known);
      const wanted = {
        words: chosen('text').toLowerCase().split(/\s+/).filter(Boolean),
        verdict: chosen('verdict'),
        arch: chosen('arch'),
        suite: chosen('suite'),
      };
      const sort = chosen('sort');
      const narrowed = wanted.words.length > 0 || wanted.verdict !== '' || wanted.arch !== '' || wanted.suite !== '';
      const found = known.filter((entry) => matches(entry, wanted));
      const status = /** @type {HTMLOutputElement} */ (form.querySelector('output'));
      status.value = narrowed ? `${found.length} of ${known.length} tests` : '';
      if (sort !== '') {
        /** @type {Record<string, (a: Entry, b: Entry) => number>} */
        const orders = {
          time: (a, b) => timeOf(b, wanted.arch) - timeOf(a, wanted.arch),
          difference: (a, b) => b.ratio - a.ratio,
          name: (a, b) => (a.text < b.text ? -1 : 1),
        };
        list(found.toSorted(orders[sort]), SORTED_ROWS);
        if (found.length > SORTED_ROWS) status.value = `the first ${SORTED_ROWS} of ${found.length} tests`;
        return;
      }
      const visible = new Set(found);
      for (const entry of known) entry.row.hidden = !visible.has(entry);
      const counts = new Map();
      for (const { stack } of found) counts.set(stack, (counts.get(stack) ?? 0) + 1);
      let shown = 0;
      for (const stack of stacks) {
        const count = counts.get(stack) ?? 0;
        stack.hidden = count === 0;
        shown += count;
        stack.open = narrowed ? shown <= UNFOLDED_ROWS : (unfolded.get(stack) ?? false);
      }
      for (const body of bodies) body.hidden = !body.querySelector('tr[id]:not([hidden])');
    };

    let waiting = 0;
    form.addEventListener('input', () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 60);
    });
    form.addEventListener('reset', () => setTimeout(apply));
    form.addEventListener('submit', (event) => event.preventDefault());
  }

  /** Unfolds what the address leads to; browsers unfold only what is around it. */
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden && form) form.reset();
    for (let part = target.closest('details'); part; part = part.parentElement?.closest('details') ?? null)
      part.open = true;
    target.scrollIntoView();
  };
  addEventListener('hashchange', unfold);
  if (location.hash !== '') unfold();

  // A click on a link to a part of the page copies its address.
  const said = document.createElement('div');
  said.className = 'said';
  said.setAttribute('role', 'status');
  document.body.append(said);
  /** @param {string} address */
  const copy = async (address) => {
    await navigator.clipboard.writeText(address);
    said.textContent = 'The link was copied.';
    setTimeout(() => {
      said.textContent = '';
    }, 2000);
  };
  document.addEventListener('click', (event) => {
    const link =
      event.target instanceof Element ? event.target.closest('a.permalink, .tests th[scope="row"] > a') : null;
    if (link instanceof HTMLAnchorElement) copy(link.href).catch(() => {});
  });

  // Timings: each benchmark is a tbody, with what it is sorted by in data of its own.
  for (const element of document.querySelectorAll('select.sort-timing')) {
    const select = /** @type {HTMLSelectElement} */ (element);
    const table = select.closest('.benchmarks')?.querySelector('table');
    if (!table) continue;
    const bodies = [...table.tBodies];
    /** @param {HTMLElement} body @param {string} by */
    const figure = (body, by) => Number(body.dataset[by] ?? 0);
    const label = select.closest('label');
    if (label) label.hidden = false;
    select.addEventListener('change', () => {
      const by = select.value;
      table.append(...(by === '' ? bodies : bodies.toSorted((a, b) => figure(b, by) - figure(a, by))));
    });
  }
}
