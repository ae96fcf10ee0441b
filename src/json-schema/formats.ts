const hostname = /^(?=.{1,253}$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;
const mailbox = /^(?!\.|.*\.\.|.*\.$)[\w.!#$%&'*+/=?^`{|}~-]{1,64}$/;
const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const timeOfDay =
  /^(?<h>[01]\d|2[0-3]):(?<m>[0-5]\d):(?:[0-5]\d|(?<leap>60))(?:\.\d+)?(?:z|(?<offset>[+-](?<oh>[01]\d|2[0-3]):(?<om>[0-5]\d)))$/i;

/** RFC 3986: characters of a part, besides those that all parts may have, and what may follow a scheme. */
const part = (more: string): string => `(?:[\\w.~!$&'()*+,;=${more}-]|%[\\da-f]{2})*`;
const authority = `//(?:${part(":")}@)?(?:\\[(?<ip>[\\da-f:.]+)\\]|${part("")})(?::\\d*)?(?=[/?#]|$)`;
const afterScheme = `(?:${authority}|(?!//))${part(":@/")}(?:\\?${part(":@/?")})?(?:#${part(":@/?")})?$`;
const absolute = new RegExp(`^[a-z][a-z\\d+.-]*:${afterScheme}`, "i");
const relative = new RegExp(`^(?![^/?#]*:)${afterScheme}`, "i");

const isIpv6 = (value: string): boolean => /^[\da-f:.]+$/i.test(value) && URL.canParse(`http://[${value}]`);

function isUri(value: string, spelling = absolute): boolean {
  const groups = spelling.exec(value)?.groups;
  return groups !== undefined && (groups["ip"] === undefined || isIpv6(groups["ip"]));
}

function isDate(value: string): boolean {
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(value) ? value : Number.NaN);
  // The 30th of February is read as a day of March.
  return !Number.isNaN(date.valueOf()) && date.toISOString().startsWith(value);
}

function isTime(value: string): boolean {
  const groups = timeOfDay.exec(value)?.groups;
  if (groups?.["leap"] === undefined) return groups !== undefined;
  // A minute has a 61st second at the end of a day only, by UTC.
  const { h, m, offset = "", oh = 0, om = 0 } = groups;
  const ahead = (Number(oh) * 60 + Number(om)) * (offset.startsWith("-") ? -1 : 1);
  return (Number(h) * 60 + Number(m) - ahead + 2 * 1_440) % 1_440 === 1_439;
}

function isRegExp(value: string): boolean {
  try {
    return new RegExp(value, "u") instanceof RegExp;
  } catch {
    // That is what was asked.
    return false;
  }
}

function isEmail(value: string): boolean {
  const [name = "", host = "", ...more] = value.split("@");
  return more.length === 0 && mailbox.test(name) && hostname.test(host);
}

const expression = String.raw`\{[+#./;?&=,!@|]?(?:[\w.]|%[\da-f]{2})+(?::[1-9]\d{0,3}|\*)?`;
const patterns = {
  hostname,
  ipv4,
  duration: /^P(?!$)(?:(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?|\d+W)$/,
  uuid: /^(?:urn:uuid:)?[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i,
  "json-pointer": /^(?:\/(?:[^~/]|~[01])*)*$/,
  "relative-json-pointer": /^(?:0|[1-9]\d*)(?:#|(?:\/(?:[^~/]|~[01])*)*)$/,
  "uri-template": new RegExp(
    `^(?:[^\\s"'<>%\\\\^\`{|}]|%[\\da-f]{2}|${expression}(?:,${expression.slice(expression.indexOf("(?:"))})*\\})*$`,
    "i",
  ),
};

/** What the keyword `format` knows (2020-12, Validation, section 7.3). Any other is not looked at. */
export const formats = new Map<string, (value: string) => boolean>([
  ...Object.entries(patterns).map(([name, pattern]) => [name, (value: string) => pattern.test(value)] as const),
  ["date", isDate],
  ["time", isTime],
  [
    "date-time",
    (value) => {
      const [date = "", time = "", ...more] = value.split(/[t ]/i);
      return more.length === 0 && isDate(date) && isTime(time);
    },
  ],
  ["email", isEmail],
  ["ipv6", isIpv6],
  ["uri", isUri],
  ["url", isUri],
  ["uri-reference", (value) => isUri(value) || isUri(value, relative)],
  ["regex", isRegExp],
]);
