// JSON with one meaning: UTF-8, no member twice in an object, no number and no text that a reader may change.

/** The tokens of a text that is known to be JSON. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|-?\d[-+.\deE]*/g;

/** Returns the object that the bytes are, nested at most `depth` levels deep, or `undefined` if they are none. */
export function strictObject(bytes, depth) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject && isStrict(text, depth) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStrict(text, depth) {
  const open = [];
  let last = "";
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "{" || token === "[") {
      if (open.push(new Set()) > depth) return false;
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (token === ":") {
      const [names, name] = [open.at(-1), JSON.parse(last)];
      if (names.has(name)) return false;
      names.add(name);
    } else if (token.startsWith('"')) {
      if (!JSON.parse(token).isWellFormed()) return false;
    } else if (/\d$/.test(token) && !Number.isFinite(Number(token))) {
      return false;
    }
    last = token;
  }
  return true;
}
