package stores_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"rapport/internal/core/event"
	"rapport/internal/core/place"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/sources/stores"
)

func TestALargeChainIsReadWholeAndItsNearestOpenStoreFound(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join("..", "..", "..", "..", "shared", "data", "bestbuy", "stores.json.gz"))
	if err != nil {
		t.Skip("../shared/data/bestbuy is not here")
	}
	defer f.Close()
	list, err := stores.Read(f, stores.Options{Zone: "America/Chicago", Country: "us", Fence: "300m"})
	if err != nil || len(list) != 1565 {
		t.Fatalf("%d stores, %v", len(list), err)
	}
	body, err := program.StoreLines(list)
	if err != nil {
		t.Fatal(err)
	}
	all, problems := program.CheckStores("stores/chain.jsonl", body)
	if len(problems) > 0 || len(all) != 1565 {
		t.Fatalf("%d of them are definitions: %v", len(all), problems)
	}
	m := place.New(all, nil)
	mall := m.Store("1000")
	now := event.At(time.Date(2026, 11, 10, 21, 0, 0, 0, mall.Zone)) // a Tuesday
	if open, known, until := mall.Open(now); !open || !known || until != now+30*60_000 || mall.Country != "US" {
		t.Errorf("the Mall of America is open %t until %s: %+v", open, until, mall.Hours)
	}
	if near := m.Nearest(mall.At, 0, 1, nil); near[0].Store.ID != "1000" {
		t.Errorf("the nearest to it is %s", near[0].Store.ID)
	}
	if around := m.Around(mall.At); len(around) == 0 || around[0].Store == "" {
		t.Errorf("it is in %v", around)
	}
}

func TestStoresComeInSeveralSpellings(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"csv":        "Store ID,Name,Latitude,Longitude,Opening hours\nsoho,Soho,51.5,-0.13,Mon: 10-9; Sun: closed\n",
		"semicolons": "\xef\xbb\xbfid;name;lat;lng;hours\nsoho;Soho;51.5;-0.13;\"Mon: 10:00-21:00; Sun: closed\"\n",
		"json":       `[{"id":"soho","name":"Soho","location":{"lat":51.5,"lon":-0.13},"hours":{"Mon":"10:00-21:00","Sun":"closed"}}]`,
		"lines":      `{"store":"soho","name":"Soho","lat":"51.5","lon":-0.13,"hours":"Mon: 10am-9pm; Sun: closed"}` + "\n",
	} {
		list, err := stores.Read(strings.NewReader(text), stores.Options{})
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %v, %v", name, list, err)
			continue
		}
		body, _ := program.StoreLines(list)
		all, problems := program.CheckStores("stores/a.jsonl", body)
		if len(problems) > 0 || all[0].ID != "soho" || len(all[0].Hours.Week[1]) != 1 || all[0].Hours.Week[1][0] != (place.Span{From: 600, To: 1260}) {
			t.Errorf("%s: %v %+v", name, problems, all)
		}
	}
	for name, text := range map[string]string{"nothing": " ", "no place": "id,name\n1,a\n", "no JSON": "[{", "hours of no day": "id,lat,lon,hours\n1,2,3,10-9\n"} {
		if _, err := stores.Read(bytes.NewReader([]byte(text)), stores.Options{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s = %v, want Invalid", name, err)
		}
	}
}
