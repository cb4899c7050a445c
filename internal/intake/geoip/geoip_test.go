package geoip_test

import (
	"net/netip"
	"os"
	"path/filepath"
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

func TestAFileThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "geo.mmdb")
	if err := os.WriteFile(path, []byte("country,city\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := geoip.Open(path); !fault.Is(err, fault.Invalid) {
		t.Errorf("Open = %v, want Invalid", err)
	}
}
