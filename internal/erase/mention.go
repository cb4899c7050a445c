package erase

import (
	"strings"

	"rapport/internal/core/identity"
)

// kinds are the kinds of identifier that text is searched for.
var kinds = []identity.Kind{identity.Email, identity.User, identity.Loyalty, identity.Anonymous}

// Mentions reports whether a text names somebody who was erased: the body of an
// event that never got an address, a stack, a provider's words. Nobody knows
// their identifiers any more, so every word is hashed and looked up.
func (l *List) Mentions(key identity.Key, text string) bool {
	if l.homes.Load() == nil {
		return false
	}
	known := func(kind identity.Kind, word string) bool {
		id, ok := identity.Normal(kind, word)
		return ok && l.Has(key.Home(id))
	}
	for _, word := range strings.FieldsFunc(text, apart) {
		word = strings.Trim(word, ".")
		for _, kind := range kinds {
			if known(kind, word) {
				return true
			}
		}
	}
	// A telephone number may have spaces, dashes and brackets in it.
	for rest := text; ; {
		i := strings.IndexByte(rest, '+')
		if i < 0 {
			return false
		}
		rest = rest[i:]
		n := 1
		for n < len(rest) && n < maxPhone && (rest[n] >= '0' && rest[n] <= '9' || strings.IndexByte(" -().", rest[n]) >= 0) {
			n++
		}
		if known(identity.Phone, strings.TrimSpace(rest[:n])) {
			return true
		}
		rest = rest[1:]
	}
}

// maxPhone bounds a telephone number with everything that people write into one.
const maxPhone = 40

// apart reports whether a character cannot be part of an identifier in JSON, a
// URL or a sentence. What may be is left in: a word too long is not found, but one
// cut in two is not either.
func apart(r rune) bool {
	return r <= ' ' || strings.ContainsRune(`"'<>(){}[],;:=&?/\|`, r)
}
