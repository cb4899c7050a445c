package site

import (
	"net/url"
	"strings"

	"rapport/internal/fault"
)

// CheckTarget returns why a URL may not be the target of a click link; nil if it
// may. Only whole web addresses may: http or https, with a host. What browsers
// and our own parser could read differently is refused, because one of them
// would lead elsewhere: a missing or doubled slash, a backslash, a user name, a
// space, a control character, a letter outside ASCII in the host.
func CheckTarget(target string) error {
	bad := func(why string) error { return fault.New(fault.Invalid, "the link cannot be followed: "+why) }
	if len(target) > maxURL {
		return bad("it is too long")
	}
	for i := 0; i < len(target); i++ {
		if c := target[i]; c <= ' ' || c == 0x7f || c == '\\' {
			return bad("it contains a space, a backslash or a control character")
		}
	}
	rest, ok := cutScheme(target)
	if !ok {
		return bad("it does not begin with http:// or https://")
	}
	u, err := url.Parse(target)
	if err != nil || u.Opaque != "" || u.Host == "" {
		return bad("it is not a web address")
	}
	if u.User != nil || strings.ContainsRune(rest[:hostEnd(rest)], '@') {
		return bad("it contains a user name")
	}
	host := u.Hostname()
	if host == "" {
		return bad("it has no host")
	}
	ipv6 := strings.HasPrefix(u.Host, "[")
	for i := 0; i < len(host); i++ {
		c := host[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' && (!ipv6 || c != ':') {
			return bad("its host has a character that hosts do not have; write an international one in its xn-- form")
		}
	}
	return nil
}

// cutScheme cuts http:// or https://, in any case, and demands something behind
// it that is not a further slash.
func cutScheme(s string) (rest string, ok bool) {
	for _, scheme := range [...]string{"https://", "http://"} {
		if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			rest = s[len(scheme):]
			return rest, rest[0] != '/'
		}
	}
	return "", false
}

// hostEnd returns where the authority ends.
func hostEnd(s string) int {
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		return i
	}
	return len(s)
}
