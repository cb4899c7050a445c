package geoip_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/fault"
	"rapport/internal/intake"
	"rapport/internal/intake/geoip"
)

func open(t *testing.T, name string) *geoip.DB {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "data", "geoip-maxmind-test", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("../shared/data/geoip-maxmind-test is not here")
	}
	db, err := geoip.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestAnAddressTellsItsTown(t *testing.T) {
	t.Parallel()
	city, country := open(t, "GeoLite2-City-Test.mmdb"), open(t, "GeoIP2-Country-Test.mmdb")
	for _, c := range []struct {
		db   *geoip.DB
		addr string
		want intake.Town
	}{
		{city, "81.2.69.142", intake.Town{Country: "GB", Region: "England", City: "London"}},
		{city, "89.160.20.112", intake.Town{Country: "SE", Region: "Östergötland County", City: "Linköping"}},
		{city, "216.160.83.56", intake.Town{Country: "US", Region: "Washington", City: "Milton"}},
		{country, "81.2.69.142", intake.Town{Country: "GB"}},
		{city, "10.1.2.3", intake.Town{}},
		{city, "127.0.0.1", intake.Town{}},
		{city, "240.0.0.1", intake.Town{}},
	} {
		if got := c.db.Locate(netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("%s is in %+v, want %+v", c.addr, got, c.want)
		}
	}
}

// pack writes a value as the data of an .mmdb holds it.
func pack(v any) []byte {
	sized := func(kind, n int) []byte {
		if kind > 7 {
			return []byte{byte(n), byte(kind - 7)}
		}
		return []byte{byte(kind<<5 | n)}
	}
	switch v := v.(type) {
	case string:
		return append(sized(2, len(v)), v...)
	case uint32:
		return append(sized(6, 4), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case []string:
		out := sized(11, len(v))
		for _, s := range v {
			out = append(out, pack(s)...)
		}
		return out
	case [][2]any: // a map, in order
		out := sized(7, len(v))
		for _, m := range v {
			out = append(append(out, pack(m[0])...), pack(m[1])...)
		}
		return out
	}
	panic("no such value")
}

// database writes a file in which every address has the one entry.
func database(t *testing.T, kind string, entry []byte) string {
	t.Helper()
	b := []byte{0, 0, 17, 0, 0, 17} // one node; both its sides are the entry at 0: 1 node + 16 + 0
	b = append(append(b, make([]byte, 16)...), entry...)
	b = append(append(b, "\xab\xcd\xefMaxMind.com"...), pack([][2]any{
		{"node_count", uint32(1)},
		{"record_size", uint32(24)},
		{"ip_version", uint32(4)},
		{"database_type", kind},
		{"languages", []string{"en"}},
		{"binary_format_major_version", uint32(2)},
		{"binary_format_minor_version", uint32(0)},
		{"build_epoch", uint32(1)},
		{"description", [][2]any{{"en", "test"}}},
	})...)
	path := filepath.Join(t.TempDir(), "geo.mmdb")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	london := pack([][2]any{{"country", [][2]any{{"iso_code", "GB"}}}, {"city", [][2]any{{"names", [][2]any{{"en", "London"}}}}}})
	db, err := geoip.Open(database(t, "A-City", london))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := db.Locate(netip.MustParseAddr("8.8.8.8")), (intake.Town{Country: "GB", City: "London"}); got != want {
		t.Errorf("8.8.8.8 is in %+v, want %+v", got, want)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	text := filepath.Join(t.TempDir(), "geo.mmdb")
	if err := os.WriteFile(text, []byte("country,city\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"a table":                  {text, "MaxMind's format"},
		"owners of networks":       {database(t, "An-ASN", pack([][2]any{{"autonomous_system_number", uint32(7)}})), `tells no country: it is of the kind "An-ASN"`},
		"an entry that is cut off": {database(t, "A-City", london[:len(london)-4]), "is damaged"},
		"an entry that is a text":  {database(t, "A-City", pack("GB")), "is damaged"},
	} {
		db, err := geoip.Open(c[0])
		if kind, why := fault.Of(err); kind != fault.Invalid || !strings.Contains(why, c[1]) {
			t.Errorf("%s: %v, %v; want Invalid: %s", name, db, err, c[1])
		}
	}
}
