package eval

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"rapport/internal/core/insight/value"
	"rapport/internal/predict"
)

const (
	fader    = "Fader, Hardie and Lee 2005"
	batislam = "BTYDplus"
	shang    = "Fader, Hardie and Shang 2010"
	hardie   = "Fader and Hardie 2013"
)

// CDNOW fits the sample of CDNOW that the papers use.
func CDNOW(data string) ([]Row, error) {
	f, err := os.Open(filepath.Join(data, "cdnow", "CDNOW_sample.txt.gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	orders, err := predict.ReadOrders(f, predict.FileOptions{})
	if err != nil {
		return nil, err
	}
	r, _, err := predict.Learn(orders, predict.Day(time.Date(1997, 9, 30, 0, 0, 0, 0, time.UTC)))
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, m := range []struct {
		name, title, by string
		ll              float64
		params          []value.Param
		loose           float64 // of the parameters, relative
	}{
		{"bg_nbd", "BG/NBD", fader, -9582.429, []value.Param{{Name: "r", Value: .2425945}, {Name: "alpha", Value: 4.4136019}, {Name: "a", Value: .7929199}, {Name: "b", Value: 2.4258881}}, 1e-3},
		{"mbg_nbd", "MBG/NBD", batislam, -9582.13572, []value.Param{{Name: "r", Value: .525}, {Name: "alpha", Value: 6.183}, {Name: "a", Value: .891}, {Name: "b", Value: 1.614}}, 1e-3},
		{"pareto_nbd", "Pareto/NBD", fader, -9594.976, []value.Param{{Name: "r", Value: .553}, {Name: "alpha", Value: 10.578}, {Name: "s", Value: .606}, {Name: "beta", Value: 11.669}}, 2e-3},
		{"gamma_gamma", "gamma-gamma", hardie, -4055.9177, []value.Param{{Name: "p", Value: 6.25}, {Name: "q", Value: 3.74}, {Name: "v", Value: 15.44}}, 2e-3},
	} {
		fitted := r.Models[m.name]
		rows = append(rows, Row{"CDNOW: " + m.title + " log-likelihood", fitted.LogLikelihood, m.ll, 1e-3, m.by, Same})
		for _, p := range m.params {
			rows = append(rows, Row{"CDNOW: " + m.title + " " + p.Name, fitted.Params[p.Name], p.Value, m.loose * p.Value, m.by, Same})
		}
	}
	return append(rows, Row{"CDNOW: orders held out", float64(r.Holdout.Orders), 1882, 0, fader, Same}), nil
}

// Donations fits BG/BB to the donations of its paper.
func Donations(data string) ([]Row, error) {
	f, err := os.Open(filepath.Join(data, "cdnow", "donations.csv"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	table, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	var list []value.Occasions
	for _, line := range table[1:] {
		var n [4]int
		for i := range n {
			if n[i], err = strconv.Atoi(line[i]); err != nil {
				return nil, err
			}
		}
		list = append(list, value.Occasions{X: n[0], Last: n[1], Of: n[2], Count: n[3]})
	}
	m, err := value.FitOccasions(list)
	if err != nil {
		return nil, err
	}
	rows := []Row{{"Donations: BG/BB log-likelihood", m.LogLikelihood(), -33225.58, 5e-3, shang, Same}}
	for i, want := range []float64{1.204, .75, .657, 2.783} {
		p := m.Params()[i]
		rows = append(rows, Row{"Donations: BG/BB " + p.Name, p.Value, want, 1e-3, shang, Same})
	}
	return rows, nil
}
