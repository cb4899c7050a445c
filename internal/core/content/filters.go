package content

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// filter is a function that templates may call.
type filter struct {
	least, most int // how many arguments it takes
	apply       func(r *run, v any, args []any, named map[string]any) any
}

// filters are all that there are. There is none that marks text as HTML.
var filters map[string]*filter

func init() {
	filters = map[string]*filter{
		// Texts.
		"append":                 {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return r.join2(v, a[0]) }},
		"prepend":                {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return r.join2(a[0], v) }},
		"upcase":                 text0(strings.ToUpper),
		"downcase":               text0(strings.ToLower),
		"capitalize":             text0(capitalize),
		"strip":                  keep0(func(s string) string { return strings.Trim(s, white+"\x00") }),
		"lstrip":                 keep0(func(s string) string { return strings.TrimLeft(s, white+"\x00") }),
		"rstrip":                 keep0(func(s string) string { return strings.TrimRight(s, white+"\x00") }),
		"strip_newlines":         keep0(func(s string) string { return strings.NewReplacer("\r\n", "", "\n", "").Replace(s) }),
		"strip_html":             text0(stripTags),
		"newline_to_br":          {0, 0, newlineToBR},
		"escape":                 {0, 0, escapeFilter},
		"escape_once":            {0, 0, escapeOnce},
		"url_encode":             text0(url.QueryEscape),
		"url_decode":             {0, 0, urlDecode},
		"base64_encode":          text0(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"base64_url_safe_encode": text0(func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) }),
		"base64_decode":          {0, 0, decode64(base64.StdEncoding)},
		"base64_url_safe_decode": {0, 0, decode64(base64.URLEncoding)},
		"remove":                 {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return r.replace(v, a[0], "", all) }},
		"remove_first":           {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return r.replace(v, a[0], "", first) }},
		"remove_last":            {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return r.replace(v, a[0], "", last) }},
		"replace":                {1, 2, func(r *run, v any, a []any, _ map[string]any) any { return r.replace(v, a[0], second(a), all) }},
		"replace_first":          {1, 2, func(r *run, v any, a []any, _ map[string]any) any { return r.replace(v, a[0], second(a), first) }},
		"replace_last":           {2, 2, func(r *run, v any, a []any, _ map[string]any) any { return r.replace(v, a[0], a[1], last) }},
		"truncate":               {0, 2, truncate},
		"truncatewords":          {0, 2, truncateWords},
		"slice":                  {1, 2, slice},
		"split":                  {1, 1, split},
		// Numbers, dates, money.
		"abs":        {0, 0, abs},
		"ceil":       {0, 0, func(r *run, v any, _ []any, _ map[string]any) any { return roundTo(v, ceilWay) }},
		"floor":      {0, 0, func(r *run, v any, _ []any, _ map[string]any) any { return roundTo(v, floorWay) }},
		"round":      {0, 1, round},
		"plus":       {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return r.arithmetic('+', v, a[0]) }},
		"minus":      {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return r.arithmetic('-', v, a[0]) }},
		"times":      {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return r.arithmetic('*', v, a[0]) }},
		"divided_by": {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return r.arithmetic('/', v, a[0]) }},
		"modulo":     {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return r.arithmetic('%', v, a[0]) }},
		"at_least":   {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return limit(v, a[0], -1) }},
		"at_most":    {1, 1, func(r *run, v any, a []any, _ map[string]any) any { return limit(v, a[0], 1) }},
		"date":       {1, 1, date},
		"money":      {0, 1, moneyFilter},
		// Lists.
		"size":         {0, 0, func(r *run, v any, _ []any, _ map[string]any) any { n, _ := r.size(v); return n }},
		"first":        {0, 0, func(r *run, v any, _ []any, _ map[string]any) any { return r.end(v, false) }},
		"last":         {0, 0, func(r *run, v any, _ []any, _ map[string]any) any { return r.property(v, "last") }},
		"join":         {0, 1, join},
		"reverse":      {0, 0, reverse},
		"concat":       {1, 1, concat},
		"map":          {1, 1, mapFilter},
		"compact":      {0, 1, compact},
		"uniq":         {0, 1, uniq},
		"sort":         {0, 1, sortFilter},
		"sort_natural": {0, 1, sortNatural},
		"where":        {1, 2, where(true)},
		"reject":       {1, 2, where(false)},
		"find":         {1, 2, find},
		"find_index":   {1, 2, findIndex},
		"has":          {1, 2, has},
		"sum":          {0, 1, sum},
		// The shop's.
		"t":         {0, 0, wordsFilter},
		"product":   {0, 0, productFilter},
		"recommend": {0, 1, recommendFilter},
		"ean13":     {0, 0, codeFilter("ean13")},
		"code128":   {0, 0, codeFilter("code128")},
		"qr":        {0, 1, codeFilter("qr")},
		// Any.
		"default": {0, 1, defaultFilter},
	}
}

func second(args []any) any {
	if len(args) > 1 {
		return args[1]
	}
	return ""
}

// str returns a value's text and pays for looking at it.
func (r *run) str(v any) string {
	s := r.text(v)
	if !r.make(len(s)) {
		return ""
	}
	return s
}

// text0 is a filter of text without arguments.
func text0(f func(string) string) *filter {
	return &filter{0, 0, func(r *run, v any, _ []any, _ map[string]any) any {
		s := r.str(v)
		if !r.make(3 * len(s)) { // the longest of them triples what it gets
			return nil
		}
		return f(s)
	}}
}

// keep0 is text0 for what leaves HTML whole: captured HTML stays HTML.
func keep0(f func(string) string) *filter {
	return &filter{0, 0, func(r *run, v any, _ []any, _ map[string]any) any {
		if h, ok := v.(safe); ok {
			if !r.make(2 * len(h)) {
				return nil
			}
			return safe(f(string(h)))
		}
		s := r.str(v)
		if !r.make(len(s)) {
			return nil
		}
		return f(s)
	}}
}

// join2 puts two texts together. Of captured HTML and text it makes HTML, with
// the text escaped.
func (r *run) join2(a, b any) any {
	x, xSafe := a.(safe)
	y, ySafe := b.(safe)
	if !xSafe && !ySafe {
		s, t := r.text(a), r.text(b)
		if !r.make(len(s) + len(t)) {
			return nil
		}
		return s + t
	}
	if !xSafe {
		x = safe(r.escaped(r.text(a)))
	}
	if !ySafe {
		y = safe(r.escaped(r.text(b)))
	}
	if !r.make(len(x) + len(y)) {
		return nil
	}
	return x + y
}

// escaped returns s escaped for HTML text and pays for it first.
func (r *run) escaped(s string) string {
	const longest = 6 // "&quot;"
	if !r.make(longest * len(s)) {
		return ""
	}
	return string(appendHTML(nil, s))
}

// html returns text that is HTML now: in an HTML part it is written as it is.
func (r *run) html(s string) any {
	if r.part.html {
		return safe(s)
	}
	return s
}

func escapeFilter(r *run, v any, _ []any, _ map[string]any) any {
	if v == nil {
		return nil
	}
	return r.html(r.escaped(r.text(v)))
}

func escapeOnce(r *run, v any, _ []any, _ map[string]any) any {
	if v == nil {
		return nil
	}
	s := r.text(v)
	if !r.make(6 * len(s)) {
		return nil
	}
	return r.html(string(appendHTMLOnce(nil, s)))
}

func newlineToBR(r *run, v any, _ []any, _ map[string]any) any {
	var s string
	switch h, isSafe := v.(safe); {
	case isSafe:
		s = string(h)
	case r.part.html:
		s = r.escaped(r.text(v))
	default:
		s = r.str(v)
	}
	if !r.make(len(s) + 6*strings.Count(s, "\n")) {
		return nil
	}
	return r.html(strings.NewReplacer("\r\n", "<br />\n", "\n", "<br />\n").Replace(s))
}

func capitalize(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + strings.ToLower(s[n:])
}

func urlDecode(r *run, v any, _ []any, _ map[string]any) any {
	s, err := url.QueryUnescape(r.str(v))
	if err != nil || !utf8.ValidString(s) {
		r.fail(fault.Invalid, "url_decode got what is not encoded text")
		return nil
	}
	return s
}

func decode64(e *base64.Encoding) func(*run, any, []any, map[string]any) any {
	return func(r *run, v any, _ []any, _ map[string]any) any {
		if _, isNumber := v.(int64); isNumber {
			r.fail(fault.Invalid, "base64 is decoded from text")
			return nil
		}
		b, err := e.DecodeString(r.str(v))
		if err != nil || !utf8.Valid(b) {
			r.fail(fault.Invalid, "the text is not base64 of a text")
			return nil
		}
		return string(b)
	}
}

// which says which of the places where a text occurs are replaced.
type which uint8

const (
	all which = iota
	first
	last
)

func (r *run) replace(v, from, to any, w which) any {
	s, old, with := r.str(v), r.text(from), r.text(to)
	n := 1
	if w == all {
		n = strings.Count(s, old)
	}
	if len(with) > 0 && n > (r.made+len(with))/len(with) || !r.make(len(s)+n*len(with)) {
		r.make(-1)
		return nil
	}
	switch w {
	case first:
		return strings.Replace(s, old, with, 1)
	case last:
		if i := strings.LastIndex(s, old); i >= 0 {
			return s[:i] + with + s[i+len(old):]
		}
		return s
	}
	return strings.ReplaceAll(s, old, with)
}

func truncate(r *run, v any, args []any, _ map[string]any) any {
	s, most, tail, ok := r.cutting(v, args, 50)
	if !ok {
		return nil
	}
	runes := []rune(s)
	if int64(len(runes)) <= most {
		return s
	}
	keep := max(0, most-int64(utf8.RuneCountInString(tail)))
	return string(runes[:keep]) + tail
}

func truncateWords(r *run, v any, args []any, _ map[string]any) any {
	s, most, tail, ok := r.cutting(v, args, 15)
	if !ok {
		return nil
	}
	most = max(most, 1)
	words := strings.Fields(s)
	if int64(len(words)) <= most {
		return strings.Join(words, " ")
	}
	return strings.Join(words[:most], " ") + tail
}

// cutting reads what truncate and truncatewords get.
func (r *run) cutting(v any, args []any, most int64) (s string, n int64, tail string, ok bool) {
	n, tail = most, "..."
	if len(args) > 0 {
		if n, ok = integer(args[0]); !ok {
			r.fail(fault.Invalid, "how much to keep is no number")
			return "", 0, "", false
		}
	}
	if len(args) > 1 {
		tail = r.text(args[1])
	}
	s = r.str(v)
	return s, n, tail, r.make(8*len(s) + len(tail))
}

func slice(r *run, v any, args []any, _ map[string]any) any {
	from, ok := wholeNumber(args[0])
	count := int64(1)
	if len(args) > 1 && args[1] != nil {
		var also bool
		count, also = wholeNumber(args[1])
		ok = ok && also
	}
	if !ok {
		r.fail(fault.Invalid, "slice takes whole numbers")
		return nil
	}
	cut := func(n int) (int, int) {
		size := int64(n)
		if from < 0 {
			from += size
		}
		if from < 0 || from > size || count < 0 {
			return 0, 0
		}
		return int(from), int(from + min(count, size-from))
	}
	if isList(v) {
		items := r.items(v)
		a, b := cut(len(items))
		return items[a:b]
	}
	s := r.str(v)
	if !r.make(4 * len(s)) {
		return nil
	}
	runes := []rune(s)
	a, b := cut(len(runes))
	return string(runes[a:b])
}

// wholeNumber is integer without fractions and text that is none.
func wholeNumber(v any) (int64, bool) {
	if _, fraction := v.(float64); fraction {
		return 0, false
	}
	return integer(v)
}

func split(r *run, v any, args []any, _ map[string]any) any {
	s, by := r.str(v), r.text(args[0])
	n := len(s) + 1
	if by != "" && by != " " {
		n = strings.Count(s, by) + 1
	}
	if !r.make(n * perItem) {
		return nil
	}
	var words []string
	switch by {
	case "":
		words = strings.Split(s, "")
	case " ":
		words = strings.Fields(s)
	default:
		words = strings.Split(s, by)
		for len(words) > 0 && words[len(words)-1] == "" {
			words = words[:len(words)-1]
		}
	}
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}

func defaultFilter(r *run, v any, args []any, named map[string]any) any {
	var instead any = ""
	if len(args) > 0 {
		instead = args[0]
	}
	if v == false {
		if truthy(named["allow_false"]) {
			return v
		}
		return instead
	}
	if v == nil || empty(v) && v != isEmpty || !r.lax && missing(v) {
		return instead
	}
	return v
}

// moneyFilter writes an amount as is the custom of the reader: {{ 1234.5 | money: "GBP" }}
// is £1,234.50, and 1.234,50 £ in German.
func moneyFilter(r *run, v any, args []any, _ map[string]any) any {
	m, ok := amount(v)
	if !ok {
		s := r.str(v)
		if f, isFloat := v.(float64); isFloat {
			s = strings.TrimSuffix(floatText(f), ".0")
		}
		var err error
		if m, err = money.Parse(strings.TrimSpace(s)); err != nil {
			r.fail(fault.Invalid, "%s is no amount of money", quote(s))
			return nil
		}
	}
	var currency money.Currency
	if len(args) > 0 {
		var err error
		if currency, err = money.ParseCurrency(r.text(args[0])); err != nil {
			r.fail(fault.Invalid, "%s is no currency; write one such as GBP", quote(r.text(args[0])))
			return nil
		}
	}
	return string(r.env.Customs.appendMoney(nil, m, currency))
}
