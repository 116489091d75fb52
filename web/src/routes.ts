/** The page's addresses. The server answers each with the same document. */

export type Route = { page: "booking" } | { page: "meeting"; number: string } | { page: "unknown" };

export function routeOf(path: string): Route {
  if (path === "/" || path === "/index.html") return { page: "booking" };
  const meeting = /^\/j\/(\d{9})$/.exec(path);
  return meeting?.[1] ? { page: "meeting", number: meeting[1] } : { page: "unknown" };
}

/** 482915370 as people read it: 482 915 370. */
export function spaced(number: string): string {
  return number.replace(/(\d{3})(?=\d)/g, "$1 ");
}

/** The digits of a meeting number or PIN as people write it. */
export function digits(text: string): string {
  return text.replace(/\D/g, "");
}

export function go(path: string): void {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}
