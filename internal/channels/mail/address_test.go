package mail_test

import (
	"strings"
	"testing"

	"rapport/internal/channels/mail"
	"rapport/internal/fault"
)

func TestItem32AddressesAreReadByOurOwnGrammar(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	label := strings.Repeat("b", 63)
	for _, c := range []struct{ name, in, want string }{ // want empty: refused
		{"plain", "ada@people.example", "ada@people.example"},
		{"the local part keeps its case, the domain loses it", "Ada.L+shop@People.EXAMPLE", "Ada.L+shop@people.example"},
		{"every atext character", "!#$%&'*+-/=?^_`{|}~@people.example", "!#$%&'*+-/=?^_`{|}~@people.example"},
		{"64 octets before the @", long + "@people.example", long + "@people.example"},
		{"65 octets before the @", long + "a@people.example", ""},
		{"a label of 63", "a@" + label + ".example", "a@" + label + ".example"},
		{"a label of 64", "a@" + label + "b.example", ""},
		{"254 octets", "a@" + label + "." + label + "." + label + "." + strings.Repeat("c", 60), "a@" + label + "." + label + "." + label + "." + strings.Repeat("c", 60)},
		{"255 octets", "a@" + label + "." + label + "." + label + "." + strings.Repeat("c", 61), ""},
		{"a domain above 255", "a@" + strings.Repeat("b.", 130) + "example", ""},
		{"a header behind CRLF", "a@b.example\r\nBcc: e@x.example", ""},
		{"a command behind CRLF", "a@b.example>\r\nRCPT TO:<e@x.example", ""},
		{"CR alone", "a@b.example\r", ""},
		{"LF alone", "\na@b.example", ""},
		{"NUL", "a\x00@b.example", ""},
		{"a tab", "a@b.example\t", ""},
		{"a space at an end", " a@b.example", ""},
		{"a no-break space", "a\u00a0@b.example", ""},
		{"a C1 control", "a@b\u0085.example", ""},
		{"a line separator", "a@b\u2028.example", ""},
		{"two @", "a@b@c.example", ""},
		{"two @ without a dot", "a@b@c", ""},
		{"a quoted local part", `"a b"@c.example`, ""},
		{"a quoted local part with an @", `"a@b"@c.example`, ""},
		{"an address literal", "a@[127.0.0.1]", ""},
		{"an IPv6 literal", "a@[IPv6:::1]", ""},
		{"a bare IPv4 address", "a@127.0.0.1", ""},
		{"a display name", "Ada <ada@people.example>", ""},
		{"angle brackets", "<ada@people.example>", ""},
		{"a comment", "ada(x)@people.example", ""},
		{"a source route", "@relay.example:ada@people.example", ""},
		{"two addresses", "a@b.example,c@d.example", ""},
		{"a percent hack is an ordinary local part", "a%b.example@c.example", "a%b.example@c.example"},
		{"nothing", "", ""},
		{"only an @", "@", ""},
		{"nothing before the @", "@b.example", ""},
		{"nothing after the @", "a@", ""},
		{"no @", "b.example", ""},
		{"a leading dot", ".a@b.example", ""},
		{"a trailing dot before the @", "a.@b.example", ""},
		{"two dots", "a..b@c.example", ""},
		{"a leading dot in the domain", "a@.b.example", ""},
		{"a trailing dot in the domain", "a@b.example.", ""},
		{"an empty label", "a@b..example", ""},
		{"one label", "a@localhost", ""},
		{"a leading hyphen", "a@-b.example", ""},
		{"a trailing hyphen", "a@b-.example", ""},
		{"an underscore in the domain", "a@b_c.example", ""},
		{"an international domain", "a@Bücher.example", "a@xn--bcher-kva.example"},
		{"a domain in Greek", "a@παράδειγμα.example", "a@xn--hxajbheg2az3al.example"},
		{"A-labels", "a@XN--bcher-KVA.example", "a@xn--bcher-kva.example"},
		{"A-labels that decode to nothing", "a@xn--a.example", ""},
		{"an ideographic full stop", "a@b。example", "a@b.example"},
		{"a full-width @ is no @", "a＠b.example", ""},
		{"a full-width letter that maps to a forbidden one", "a@b＿c.example", ""},
		{"a full-width solidus", "a@b／c.example", ""},
		{"letters outside ASCII before the @", "jürgen@people.example", ""},
		{"bytes that are no text", "a\xff@people.example", ""},
		{"a megabyte", strings.Repeat("a", 1<<20) + "@people.example", ""},
	} {
		a, err := mail.ParseAddress(c.in)
		if a.String() != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: ParseAddress(%.60q) = %q, %v; want %q", c.name, c.in, a, err, c.want)
		}
		if err != nil && (!fault.Is(err, fault.Invalid) || len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\r\n")) {
			t.Errorf("%s: the error is %q", c.name, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"ada@people.example", "a@b@c", "a@bücher.example", "\"a b\"@c.example", "a@[::1]", "a\r\n@b.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := mail.ParseAddress(s)
		if err != nil {
			return
		}
		out := a.String()
		if strings.Count(out, "@") != 1 || len(out) > 254 || strings.ContainsFunc(out, func(r rune) bool { return r <= ' ' || r > '~' }) || strings.ContainsAny(out, "<>,;:\"\\()[]") {
			t.Fatalf("ParseAddress(%q) let %q through", s, out)
		}
		again, err := mail.ParseAddress(out)
		if err != nil || again != a {
			t.Fatalf("%q read again is %q, %v", out, again, err)
		}
	})
}
