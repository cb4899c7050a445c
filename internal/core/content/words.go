package content

import (
	"strings"

	"rapport/internal/fault"
)

// wordsFilter writes a sentence in the reader's language:
// {{ "cart.title" | t: name: customer.first_name, count: 3 }}. What the sentence
// has in braces is put in from the arguments; the whole is text and is escaped
// like any other.
func wordsFilter(r *run, v any, _ []any, named map[string]any) any {
	key := r.str(v)
	count, counted := int64(0), false
	if n, given := named["count"]; given {
		count, counted = integer(n)
	}
	sentence, found := "", false
	if r.env.Words != nil {
		sentence, found = r.env.Words(key, count, counted)
	}
	if !found {
		r.fail(fault.Invalid, "there is no sentence %s in the locales", quote(key))
		return nil
	}
	if !r.step(len(sentence)/64) || !r.make(len(sentence)) {
		return nil
	}
	if strings.IndexByte(sentence, '{') < 0 {
		return sentence
	}
	var b strings.Builder
	for sentence != "" {
		before, name, rest, ok := Placeholder(sentence)
		b.WriteString(before)
		if !ok {
			break
		}
		sentence = rest
		value, given := named[name]
		if !given {
			r.fail(fault.Invalid, "the sentence %s needs %s: {{ %s | t: %s: … }}", quote(key), name, quote(key), name)
			return nil
		}
		text := r.text(value)
		if !r.make(len(text)) {
			return nil
		}
		b.WriteString(text)
	}
	return b.String()
}

// Placeholder cuts a sentence at the first {name} in it. It reports false, and
// returns the whole as before, if there is none.
func Placeholder(sentence string) (before, name, rest string, ok bool) {
	for i := 0; ; {
		j := strings.IndexByte(sentence[i:], '{')
		if j < 0 {
			return sentence, "", "", false
		}
		j += i
		k := j + 1
		for k < len(sentence) && (letter(sentence[k]) || digit(sentence[k])) {
			k++
		}
		if k > j+1 && k < len(sentence) && sentence[k] == '}' {
			return sentence[:j], sentence[j+1 : k], sentence[k+1:], true
		}
		i = j + 1
	}
}

// productFilter looks a product up: {{ "LAMP-1" | product }} is what the shop
// knows of it, or nothing.
func productFilter(r *run, v any, _ []any, _ map[string]any) any {
	if r.env.Product == nil {
		return nil
	}
	p := lift(r.env.Product(r.str(v)))
	r.touch(p)
	return p
}

// recommendFilter asks for a list for the reader: {{ "new" | recommend: 3 }} are
// three products, or as many as there are.
func recommendFilter(r *run, v any, args []any, _ map[string]any) any {
	if r.env.Recommend == nil {
		return []any{}
	}
	n := recommendDefault
	if len(args) > 0 {
		whole, ok := wholeNumber(args[0])
		if !ok {
			r.fail(fault.Invalid, "recommend takes a whole number: how many products")
			return nil
		}
		n = int(max(0, min(whole, maxItems)))
	}
	list := r.env.Recommend(r.str(v), n)
	if list == nil {
		list = []any{}
	}
	for i := range list {
		list[i] = lift(list[i])
		r.touch(list[i])
	}
	return list
}

// recommendDefault is how many products a list has if the template does not say.
const recommendDefault = 4
