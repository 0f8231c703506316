// In a page: what is wider than its place, or printed over something else, by names for people.

(() => {
  const root = document.documentElement;
  /** @param {Element} element */
  const name = (element) =>
    `${element.tagName}.${element.getAttribute('class')} ${(element.textContent ?? '').slice(0, 40)}`;
  const wide = [...document.querySelectorAll('td, th, dd, p, h3, li')].filter(
    (element) => element.scrollWidth > element.clientWidth + 1 && element.closest('.wide') === null,
  );
  const over = [...document.querySelectorAll('.ticks')].filter((svg) => {
    const boxes = [...svg.querySelectorAll('text')]
      .map((text) => text.getBoundingClientRect())
      .filter(({ width }) => width > 0);
    return boxes.some(({ left }, index) => index > 0 && left < /** @type {DOMRect} */ (boxes[index - 1]).right);
  });
  const page = root.scrollWidth > root.clientWidth ? [`the page: ${root.scrollWidth}`] : [];
  return [...page, ...wide.map(name), ...over.map(name)];
})();
