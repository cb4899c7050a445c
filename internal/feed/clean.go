package feed

import (
	"strings"

	"rapport/internal/core/event"
)

// redacted stands where an e-mail address stood in a text.
const redacted = "[address]"

// Clean returns the properties without those that name a person, at any depth,
// and with every e-mail address and telephone number in the texts that are left
// taken out: a search for one, a link that carries one, a provider's "550
// ada@shop.example unknown". Properties that hold none come back as they are.
//
// The history keeps all of it, and forgets it with the person; a feed could not.
func Clean(props event.Object) event.Object { return event.Object(object(string(props))) }

// object cleans the fields of an encoded object. It walks them once and builds a
// new one only from the first on that must not stay as it is.
func object(raw string) string {
	var out []byte
	kept, dirty := 0, false
	event.Object(raw).Each(func(key string, v event.Value) bool {
		goes := identifies(key) || holdsAddress(key)
		clean := v
		if !goes {
			clean = value(v)
		}
		if !dirty && !goes && clean == v {
			kept++
			return true
		}
		if !dirty {
			dirty = true
			out = head(raw, kept)
		}
		if !goes {
			out = event.AppendField(out, key, clean)
		}
		return true
	})
	if !dirty {
		return raw
	}
	return string(out)
}

// head returns the first n fields of an encoded object.
func head(raw string, n int) []byte {
	out := make([]byte, 0, len(raw))
	event.Object(raw).Each(func(key string, v event.Value) bool {
		if n == 0 {
			return false
		}
		n--
		out = event.AppendField(out, key, v)
		return true
	})
	return out
}

func value(v event.Value) event.Value {
	switch v.Kind {
	case event.String:
		if holdsAddress(v.Raw) {
			return event.Text(redact(v.Raw))
		}
	case event.Map:
		v.Raw = object(v.Raw)
	case event.List:
		v.Raw = list(v.Raw)
	}
	return v
}

// list is object for the items of an encoded list.
func list(raw string) string {
	all := event.Value{Kind: event.List, Raw: raw}
	var out []byte
	kept, dirty := 0, false
	all.Items(func(item event.Value) bool {
		clean := value(item)
		switch {
		case dirty:
			out = event.AppendItem(out, clean)
		case clean == item:
			kept++
		default:
			dirty = true
			all.Items(func(before event.Value) bool {
				if kept > 0 {
					kept--
					out = event.AppendItem(out, before)
					return true
				}
				return false
			})
			out = event.AppendItem(out, clean)
		}
		return true
	})
	if !dirty {
		return raw
	}
	return string(out)
}

// maxKey is the longest key in identifies, with some underscores.
const maxKey = 24

// identifies reports whether a property of the name says who somebody is. Capitals,
// underscores and dashes do not matter. "name" is not among them: products and
// steps have one; a person's stands under "customer".
func identifies(key string) bool {
	if len(key) < 2 || len(key) > maxKey {
		return false
	}
	switch key[0] | 0x20 {
	case 'h', 'j', 'k', 'n', 'o', 'q', 'v', 'w', 'x', 'y', 'z':
		return false // none of the names below begins so
	}
	var few [maxKey]byte
	b := few[:0]
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case c >= 'A' && c <= 'Z':
			b = append(b, c|0x20)
		case c == '_' || c == '-' || c == ' ':
		default:
			b = append(b, c)
		}
	}
	switch string(b) {
	case "email", "mail", "emailaddress", "customeremail", "useremail", "recipient",
		"phone", "phonenumber", "telephone", "mobile", "mobilenumber", "customerphone", "msisdn",
		"firstname", "lastname", "middlename", "surname", "givenname", "familyname", "fullname", "customername", "username",
		"address", "address1", "address2", "addressline1", "addressline2", "street",
		"shippingaddress", "billingaddress", "deliveryaddress", "customeraddress",
		"ip", "ipaddress", "evidence", "customer", "contact", "consignee":
		return true
	}
	return false
}

// shortest is the length of the shortest address: a@b.
const shortest = 3

func holdsAddress(s string) bool {
	// Most texts hold none of the three signs that an address has one of.
	if len(s) < shortest || strings.IndexByte(s, '@') < 0 && strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return false
	}
	start, _ := find(s)
	return start >= 0
}

// redact puts a word in the place of every address.
func redact(s string) string {
	var out strings.Builder
	for {
		start, end := find(s)
		if start < 0 {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(s[:start])
		out.WriteString(redacted)
		s = s[end:]
	}
}

// find returns where the first address in s begins and ends, start −1 if there is
// none: an e-mail address, also with the @ of a URL, or a telephone number as
// E.164 writes it. It need not be right about the grammar, only never leave one.
func find(s string) (start, end int) {
	for i := 0; i < len(s); i++ {
		width := 1
		switch {
		case s[i] == '@':
		case s[i] == '%' && strings.HasPrefix(s[i:], "%40"):
			width = len("%40")
		case s[i] == '+':
			if n := digits(s[i+1:]); n >= minDigits {
				return i, i + 1 + n
			}
			continue
		default:
			continue
		}
		start, end = i, i+width
		for start > 0 && local(s[start-1]) {
			start--
		}
		for end < len(s) && (local(s[end]) || s[end] == '@') {
			end++
		}
		if start < i && end > i+width {
			return start, end
		}
	}
	return -1, -1
}

// minDigits is what the shortest telephone number with its country has.
const minDigits = 7

func digits(s string) (n int) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// local reports whether a byte may be part of an e-mail address. What may be so
// within quotes only is left out, and so is what parts the fields of a URL.
func local(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80:
		return true
	}
	return strings.IndexByte(".!#$%'*+-^_`{|}~", c) >= 0
}
