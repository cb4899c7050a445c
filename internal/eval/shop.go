package eval

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	retail "rapport/examples/online-retail"
	"rapport/internal/core/event"
	"rapport/internal/core/insight/intent"
	"rapport/internal/core/insight/need"
	"rapport/internal/core/measure"
	"rapport/internal/core/place"
	"rapport/internal/fault"
	"rapport/internal/predict"
	"rapport/internal/suggest"
)

const (
	// ties is what the order of equals is worth in a list of recommendations: nobody
	// publishes how they are broken.
	ties = .004
	// lastQuarter is what is held out of the retail year.
	lastQuarter = 91 * 24 * time.Hour
	// calibrated is how far the slope of chances may be from that of true ones.
	calibrated = .1
	// summed is how far a sum may be off that is the mean times the number.
	summed = 1e-6
	// most bounds a file of figures in memory.
	most = 64 << 20
)

// Sessions measures recommendations to sessions on the toy set of Serenade.
func Sessions(data string) ([]Row, error) {
	archive, err := os.ReadFile(filepath.Join(data, "serenade-toy", "example.zip"))
	if err != nil {
		return nil, err
	}
	list, err := suggest.Toy(archive)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, m := range list {
		r := Row{Name: m.What, Ours: m.Ours, Published: m.Published, Within: ties, By: m.Source}
		if m.Published > 1 {
			r.Within = 0 // a count
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// Baskets measures recommendations to customers on the last baskets of Online Retail.
func Baskets(string) ([]Row, error) {
	list, err := suggest.Retail()
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, m := range list {
		r := Row{Name: m.What, Ours: m.Ours, Published: m.Published, By: m.Source, Must: More}
		if m.Published > 1 {
			r.Must = Same
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// Needs compares when customers of Online Retail needed a product again, in its last
// quarter, with the dates of the model and of plain methods.
func Needs(string) ([]Row, error) {
	type pair struct{ customer, family string }
	by := map[pair][]event.Time{}
	var end event.Time
	err := retail.Rows(func(r retail.Row) bool {
		if r.Clean() && retail.IsProduct(r.SKU) {
			k := pair{r.Customer, predict.Family(&predict.Line{SKU: r.SKU})}
			by[k] = append(by[k], r.At)
			end = max(end, r.At+1)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	var list []need.History
	for k, at := range by {
		slices.Sort(at)
		list = append(list, need.History{Person: k.customer, Family: k.family, At: slices.Compact(at)})
	}
	slices.SortFunc(list, func(a, b need.History) int {
		return slices.Compare([]string{a.Person, a.Family}, []string{b.Person, b.Family})
	})
	c, err := need.Backtest(list, end.Add(-lastQuarter), end)
	if err != nil {
		return nil, err
	}
	const name = "Online Retail: need dates of the last quarter, median error in days"
	return []Row{
		{Name: name, Ours: c.Model, Published: c.Last, By: "the last gap", Must: Less},
		{Name: name, Ours: c.Model, Published: c.Average, By: "the mean gap", Must: Less},
		{Name: name, Ours: c.Model, Published: c.Family, By: "the product's usual gap", Must: Less},
		{Name: name, Ours: c.Model, Published: c.Middle, By: "always the middle", Must: Less},
	}, nil
}

// table calls row for each row of a zipped file with a heading, by column.
func table(path string, row func(head, fields []string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, path)
	}
	r := csv.NewReader(io.LimitReader(z, most))
	head, err := r.Read()
	for err == nil {
		var fields []string
		if fields, err = r.Read(); err == nil {
			err = row(head, fields)
		}
	}
	if err == io.EOF {
		return nil
	}
	return fault.Wrap(fault.Invalid, err, path)
}

// Intent trains on sessions of shoppers without what was measured after them, and
// asks how good the chances are of those that were held back.
func Intent(data string) ([]Row, error) {
	var names []string
	var samples []intent.Sample
	err := table(filepath.Join(data, "online-shoppers-intention", "online_shoppers_intention.csv.gz"), func(head, fields []string) error {
		s := intent.Sample{Key: uint64(len(samples))}
		first := names == nil
		for i, h := range head {
			switch h {
			case "Revenue":
				s.Bought = fields[i] == "TRUE"
			case "PageValues": // the value that analytics gave to pages after the session had ended
			case "Month", "VisitorType", "Weekend", "OperatingSystems", "Browser", "Region", "TrafficType":
				// They are classes: numbers among them have no order.
			default:
				x, err := strconv.ParseFloat(fields[i], 64)
				if err != nil {
					return err
				}
				if first {
					names = append(names, h)
				}
				s.X = append(s.X, math.Log1p(x*10))
			}
		}
		samples = append(samples, s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	m, err := intent.Train(names, samples)
	if err != nil {
		return nil, err
	}
	q := m.Quality
	return []Row{
		{Name: "shoppers' intention: sessions", Ours: float64(len(samples)), Published: 12330, By: "UCI"},
		{Name: "shoppers' intention: AUC on held-back sessions", Ours: q.AUC, Published: .5, By: "guessing", Must: More},
		{Name: "shoppers' intention: Brier score", Ours: q.Brier, Published: q.BaseBrier, By: "the base rate", Must: Less},
		{Name: "shoppers' intention: slope of the chances", Ours: q.Slope, Published: 1, Within: calibrated, By: "chances that are true"},
	}, nil
}

// Mails compares the arms of Hillstrom's test of e-mails.
func Mails(data string) ([]Row, error) {
	type arm struct{ visit, conversion, spend measure.Moments }
	arms := map[string]*arm{}
	err := table(filepath.Join(data, "hillstrom", "hillstrom.csv.gz"), func(head, fields []string) error {
		col := func(name string) float64 {
			x, err := strconv.ParseFloat(fields[slices.Index(head, name)], 64)
			if err != nil {
				return math.NaN()
			}
			return x
		}
		name := fields[slices.Index(head, "segment")]
		if arms[name] == nil {
			arms[name] = &arm{}
		}
		arms[name].visit.Add(col("visit"))
		arms[name].conversion.Add(col("conversion"))
		arms[name].spend.Add(col("spend"))
		return nil
	})
	if err != nil {
		return nil, err
	}
	none := arms["No E-Mail"]
	if none == nil {
		return nil, fault.New(fault.Invalid, "Hillstrom's test has no arm without an e-mail")
	}
	const by = "Hillstrom"
	var rows []Row
	row := func(what string, ours, published, within float64) {
		rows = append(rows, Row{Name: "Hillstrom: " + what, Ours: ours, Published: published, Within: within, By: by})
	}
	for _, c := range []struct {
		name                                 string
		people, visits, conversions, perHead float64
		visit, visitT, spend, spendT, spendP float64
	}{
		{"Mens E-Mail", 21307, 3894, 267, 1.422617, .07658956, 22.62023, .7698272, 5.30014, 1.163815e-7},
		{"Womens E-Mail", 21387, 3238, 189, 1.077202, .04523311, 13.984738, .4244122, 3.256372, .001129397},
		{"No E-Mail", 21306, 2262, 122, .652789, 0, 0, 0, 0, 0},
	} {
		a := arms[c.name]
		if a == nil {
			return nil, fault.New(fault.Invalid, "Hillstrom's test has no arm "+c.name)
		}
		row(c.name+", people", float64(a.visit.N), c.people, 0)
		row(c.name+", visits", a.visit.Sum(), c.visits, summed)
		row(c.name+", conversions", a.conversion.Sum(), c.conversions, summed)
		row(c.name+", spend a head", a.spend.Mean, c.perHead, 1e-6)
		if a == none {
			continue
		}
		visit, spend := measure.Welch(a.visit, none.visit), measure.Welch(a.spend, none.spend)
		row(c.name+", visits more than none", visit.Difference, c.visit, 1e-7)
		row(c.name+", visits, Welch's t", visit.T, c.visitT, 1e-4)
		row(c.name+", spend more than none", spend.Difference, c.spend, 1e-6)
		row(c.name+", spend, Welch's t", spend.T, c.spendT, 1e-4)
		row(c.name+", spend, p", spend.P, c.spendP, 1e-3*c.spendP)
	}
	return rows, nil
}

// Boroughs counts London's places of hired bicycles by borough.
func Boroughs(data string) ([]Row, error) {
	dir := filepath.Join(data, "geo-london")
	shapes, err := os.ReadFile(filepath.Join(dir, "lnd_boroughs.geojson"))
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "cycle_hire.geojson"))
	if err != nil {
		return nil, err
	}
	fences, err := place.ReadGeoJSON(string(shapes))
	if err != nil {
		return nil, err
	}
	var points struct {
		Features []struct {
			Geometry struct {
				Coordinates [2]float64 `json:"coordinates"`
			} `json:"geometry"`
		} `json:"features"`
	}
	if err := json.Unmarshal(raw, &points); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, dir)
	}
	world, count := place.New(nil, fences), map[string]int{}
	for _, f := range points.Features {
		name := "no borough"
		if around := world.Around(place.Point{Lat: f.Geometry.Coordinates[1], Lon: f.Geometry.Coordinates[0]}); len(around) > 0 {
			name = around[0].Name
		}
		count[name]++
	}
	rows := []Row{{Name: "London: points", Ours: float64(len(points.Features)), Published: 742, By: recomputed}}
	for _, c := range []struct {
		name string
		n    float64
	}{
		{"Westminster", 171},
		{"Tower Hamlets", 117},
		{"Kensington and Chelsea", 90},
		{"Wandsworth", 59},
		{"Hammersmith and Fulham", 58},
		{"Camden", 57},
		{"Lambeth", 46},
		{"Southwark", 40},
		{"Islington", 37},
		{"City of London", 35},
		{"Hackney", 31},
		{"no borough", 1},
	} {
		rows = append(rows, Row{Name: fmt.Sprintf("London: points in %s", c.name), Ours: float64(count[c.name]), Published: c.n, By: recomputed})
	}
	return rows, nil
}
