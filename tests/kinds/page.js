// Functions for scripts that look at TensorBoard's pages: elements live in shadow trees and in frames.

// Every element below a node, in the order of the document.
function elements(node) {
  const found = [];
  const walk = (node) => {
    for (const element of node.querySelectorAll('*')) {
      found.push(element);
      if (element.shadowRoot) walk(element.shadowRoot);
      if (element.tagName === 'IFRAME' && element.contentDocument) walk(element.contentDocument);
    }
  };
  if (node.shadowRoot) walk(node.shadowRoot);
  walk(node);
  return [...new Set(found)];
}

function isVisible(element) {
  const { width, height } = element.getBoundingClientRect();
  const style = element.ownerDocument.defaultView.getComputedStyle(element);
  return width > 0 && height > 0 && style.visibility !== 'hidden' && style.display !== 'none';
}

// The visible elements that a selector names, below a node or on the whole page.
function all(selector, node = document) {
  return elements(node).filter((element) => element.matches(selector) && isVisible(element));
}

// The texts that an element shows, without blanks around.
function texts(element) {
  const found = [];
  for (const inner of [element, ...elements(element)]) {
    if (['STYLE', 'SCRIPT', 'TEMPLATE', 'TITLE'].includes(inner.tagName) || !isVisible(inner)) continue;
    for (const node of inner.childNodes) {
      const text = node.nodeType === Node.TEXT_NODE && node.textContent.replace(/\s+/g, ' ').trim();
      if (text) found.push(text);
    }
  }
  return found;
}

// The card of a tag: the first of its kind whose heading has the text.
function card(selector, title) {
  return all(selector).find((card) => texts(card).some((text) => text === title));
}

// Each drawn path of a class, by its width, its height and its number of points.
function paths(card, name) {
  return all(`path.${name}`, card).map((path) => {
    const { width, height } = path.getBoundingClientRect();
    const points = path.getAttribute('d').split(/[ML]/).length - 1;
    return { width, height, points };
  });
}

// Where an element stands in the window, whatever frames it is in.
function place(element) {
  let { x, y, width, height } = element.getBoundingClientRect();
  for (let frame = element.ownerDocument.defaultView.frameElement; frame; ) {
    const around = frame.getBoundingClientRect();
    [x, y] = [x + around.x, y + around.y];
    frame = frame.ownerDocument.defaultView.frameElement;
  }
  return { x, y, width, height };
}

// What the page says has gone wrong, or is not there.
function warnings() {
  const names = /(^|[ -])(error|warning|alert|snack|toast|no-data|notify|notification)/i;
  const name = (element) => [element.tagName, element.id, element.getAttribute('class')].join(' ');
  const warning = elements(document).filter((element) => names.test(name(element)) && isVisible(element));
  return warning.map((element) => `${name(element)}: ${texts(element).join(' ')}`);
}
