// How values are printed: the rules of the workbook and of the tables of this page.
const BLANK = "—";
const DIGITS = 15; // a spreadsheet rounds what it prints from this many digits

// The value times ten to the power of `places` as a whole number, halves away from zero.
function whole(value, places) {
  const [mantissa, exponent] = Math.abs(value).toExponential(DIGITS - 1).split("e");
  const digits = BigInt(mantissa.replace(".", ""));
  const shift = Number(exponent) - (DIGITS - 1) + places;
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const unit = 10n ** BigInt(-shift);
  return (digits + unit / 2n) / unit;
}

function grouped(digits) {
  return digits.replace(/\B(?=(?:\d{3})+$)/g, ",");
}

function printed(value, form) {
  if (value === null) return BLANK;
  if (form === "text" || typeof value === "string") return String(value);
  const share = form === "share";
  const rounded = whole(value, share ? 3 : 0); // a share is printed in tenths of a per cent
  const sign = value < 0 && rounded > 0n ? "-" : "";
  if (form === "year") return sign + rounded;
  if (!share) return sign + grouped(String(rounded));
  return `${sign}${grouped(String(rounded / 10n))}.${rounded % 10n}%`;
}
