package journey

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// root says where a path begins.
type root uint8

const (
	fromNowhere root = iota
	fromText         // the name is the value
	fromTrait
	fromTrigger
	fromRhythm   // the product that is due by the customer's own rhythm
	fromBecause  // why this person is spoken to, in words
	fromProduct  // name of the product that the message is about
	fromCategory // its category
	fromJourney  // the journey's title
)

// path is a place where a value is found.
type path struct {
	root     root
	name     string
	fallback string // used when there is nothing; only in sentences
	backed   bool   // a fallback was given, perhaps an empty one
}

// parsePath reads "trait.first_name", "profile.first_name" or
// "trigger.products.sku". It reports false for anything else.
func parsePath(s string) (path, bool) {
	head, name, _ := strings.Cut(s, ".")
	if name == "" {
		return path{}, false
	}
	switch head {
	case "trait", "profile":
		return path{root: fromTrait, name: name}, true
	case "trigger":
		return path{root: fromTrigger, name: name}, true
	}
	return path{}, false
}

// value returns what stands at the path; false if nothing does.
func (p path) value(of *profile.Profile, props event.Object) (event.Value, bool) {
	switch p.root {
	case fromText:
		return event.Text(p.name), true
	case fromTrait:
		return of.Trait(p.name)
	case fromTrigger:
		return dig(event.Nested(props), p.name)
	}
	return event.Value{}, false
}

// text returns the string or number at the path; empty if there is none.
func (p path) text(of *profile.Profile, props event.Object) string {
	if v, ok := p.value(of, props); ok && (v.Kind == event.String || v.Kind == event.Number) {
		return v.Raw
	}
	return ""
}

// dig looks into v along the path. Of a list it looks into the first item: the
// first line of an order stands for the order.
func dig(v event.Value, path string) (event.Value, bool) {
	for path != "" {
		if v.Kind == event.List {
			first, found := event.Value{}, false
			v.Items(func(item event.Value) bool {
				first, found = item, true
				return false
			})
			if !found {
				return event.Value{}, false
			}
			v = first
			continue
		}
		o := v.Object()
		if whole, ok := o.Get(path); ok {
			return whole, whole.Kind != event.Null
		}
		head, rest, more := strings.Cut(path, ".")
		next, ok := o.Get(head)
		if !ok || !more {
			return event.Value{}, false
		}
		v, path = next, rest
	}
	return v, v.Kind != event.Null
}

// sentence is a text with placeholders such as {trait.first_name} or
// {trigger.name|your order}.
type sentence struct {
	source string
	pieces []piece
}

type piece struct {
	text string
	path path // root fromNowhere: the piece is text
}

// parseSentence reads a text with placeholders. The second result says what is wrong.
func parseSentence(s string) (sentence, string) {
	out := sentence{source: s}
	for rest := s; rest != ""; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			if strings.IndexByte(rest, '}') >= 0 {
				return out, "a } has no {"
			}
			out.pieces = append(out.pieces, piece{text: rest})
			break
		}
		if open > 0 {
			out.pieces = append(out.pieces, piece{text: rest[:open]})
		}
		shut := strings.IndexByte(rest, '}')
		if shut < open {
			return out, "a { has no }"
		}
		name, fallback, backed := strings.Cut(rest[open+1:shut], "|")
		name = strings.TrimSpace(name)
		rest = rest[shut+1:]
		p, ok := parsePath(name)
		if !ok {
			switch name {
			case "because":
				p.root = fromBecause
			case "product":
				p.root = fromProduct
			case "category":
				p.root = fromCategory
			case "journey":
				p.root = fromJourney
			default:
				return out, "the placeholder {" + name + "} is none of {trait.…}, {trigger.…}, {because}, {product}, {category}, {journey}"
			}
		}
		p.fallback, p.backed = strings.TrimSpace(fallback), backed
		out.pieces = append(out.pieces, piece{path: p})
	}
	return out, ""
}

// personal reports whether the sentence has a placeholder: whether it says
// something about this person.
func (s *sentence) personal() bool {
	for i := range s.pieces {
		if s.pieces[i].path.root != fromNowhere && s.pieces[i].path.root != fromJourney {
			return true
		}
	}
	return false
}

// fill returns the sentence with its placeholders filled in; false if one of
// them has no value and no fallback, for a half-filled sentence is worse than none.
func (s *sentence) fill(look func(path) string) (string, bool) {
	var b strings.Builder
	for i := range s.pieces {
		p := &s.pieces[i]
		if p.path.root == fromNowhere {
			b.WriteString(p.text)
			continue
		}
		v := strings.TrimSpace(look(p.path))
		if v == "" {
			if !p.path.backed {
				return "", false
			}
			v = p.path.fallback
		}
		b.WriteString(v)
	}
	return clip(b.String(), MaxReason), true
}

// clip cuts s to at most n bytes, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// parseDuration reads "90s", "15m", "6h", "14d" or "2w", with a minus sign if
// signed. A month is no duration: it has no one length.
func parseDuration(s string, signed bool) (time.Duration, bool) {
	digits := s
	negative := signed && strings.HasPrefix(s, "-")
	if negative {
		digits = s[1:]
	}
	if len(digits) < 2 {
		return 0, false
	}
	unit := time.Duration(0)
	switch digits[len(digits)-1] {
	case 's':
		unit = time.Second
	case 'm':
		unit = time.Minute
	case 'h':
		unit = time.Hour
	case 'd':
		unit = 24 * time.Hour
	case 'w':
		unit = 7 * 24 * time.Hour
	}
	n, err := strconv.ParseUint(digits[:len(digits)-1], 10, 32)
	if err != nil || unit == 0 || time.Duration(n) > MaxWait/unit {
		return 0, false
	}
	if d := time.Duration(n) * unit; !negative {
		return d, true
	} else {
		return -d, true
	}
}

// Length reads a length of time as definitions write it: "90s", "15m", "6h", "14d".
func Length(s string) (time.Duration, bool) { return parseDuration(s, false) }

// span returns a duration as a definition writes it.
func span(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	for _, u := range []struct {
		letter string
		length time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d >= u.length && d%u.length == 0 {
			return sign + strconv.FormatInt(int64(d/u.length), 10) + u.letter
		}
	}
	return sign + strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

// percent returns a share as "10 %".
func percent(share float64) string {
	return strconv.FormatFloat(share*100, 'f', -1, 64) + " %"
}
