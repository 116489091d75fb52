/** Whom a host wrote that the meeting should call: a number as people write it, or a SIP address with or without `sip:`. */
export function callee(written: string): string {
  const text = written.trim();
  if (/^sips?:/i.test(text) || text.startsWith("tel:")) return text;
  if (text.includes("@")) return `sip:${text}`;
  return text.replace(/[\s().-]/g, "").replace(/^00/, "+");
}
