// How a customer is called, where there is room for one word: by what people know them
// by, and by their id where that is masked or not known.
const masking = '•••';

export function called(c: { id: string; email?: string; phone?: string; user_id?: string } | undefined, unknown = ''): string {
  if (!c) return '…';
  const known = c.email || c.phone || c.user_id;
  if (known && known !== masking) return known;
  return known || !unknown ? c.id.slice(0, 12) + '…' : unknown;
}
