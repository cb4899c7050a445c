package eval

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	retail "rapport/examples/online-retail"
	"rapport/internal/core/insight/rfm"
	"rapport/internal/core/money"
)

// recomputed is who the figures of Online Retail come from: others count them too,
// and these were recomputed without this code.
const recomputed = "recomputed apart"

// reference are the published figures of Online Retail.
type reference struct {
	Retail struct {
		RFM struct {
			Mean, Q25, Q50, Q75 [3]float64
			MaxF                float64 `json:"max_F"`
			MaxM                float64 `json:"max_M"`
			Once                float64 `json:"F1_customers"`
		} `json:"rfm_clean_snapshot_2011_12_10"`
		Cohorts map[string][]int `json:"cohorts_without_C"`
		All     map[string][]int `json:"cohorts_all_rows_with_customer"`
	} `json:"online_retail"`
}

func published(data string) (r reference, err error) {
	raw, err := os.ReadFile(filepath.Join(data, "reference.json"))
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	return r, err
}

// RFM computes recency, frequency and money of Online Retail.
func RFM(data string) ([]Row, error) {
	ref, err := published(data)
	if err != nil {
		return nil, err
	}
	type customer struct {
		last     time.Time
		invoices map[string]bool
		sum      money.Micros
	}
	people := map[string]*customer{}
	err = retail.Rows(func(r retail.Row) bool {
		if !r.Clean() {
			return true
		}
		c := people[r.Customer]
		if c == nil {
			c = &customer{invoices: map[string]bool{}}
			people[r.Customer] = c
		}
		if at := r.At.Time().Truncate(24 * time.Hour); at.After(c.last) {
			c.last = at
		}
		c.invoices[r.Invoice] = true
		c.sum += r.Net()
		return true
	})
	if err != nil {
		return nil, err
	}
	snapshot := time.Date(2011, 12, 10, 0, 0, 0, 0, time.UTC)
	var lists [3][]float64
	once := 0.0
	for _, c := range people {
		lists[0] = append(lists[0], snapshot.Sub(c.last).Hours()/24)
		lists[1] = append(lists[1], float64(len(c.invoices)))
		lists[2] = append(lists[2], c.sum.Float())
		if len(c.invoices) == 1 {
			once++
		}
	}
	want := ref.Retail.RFM
	var rows []Row
	for i, name := range []string{"recency", "frequency", "money"} {
		slices.Sort(lists[i])
		mean := 0.0
		for _, v := range lists[i] {
			mean += v
		}
		rows = append(rows,
			Row{"Online Retail: mean " + name, mean / float64(len(lists[i])), want.Mean[i], 1e-5, recomputed, Same},
			Row{"Online Retail: lower quartile of " + name, rfm.Quantile(lists[i], .25), want.Q25[i], 1e-6, recomputed, Same},
			Row{"Online Retail: median " + name, rfm.Quantile(lists[i], .5), want.Q50[i], 1e-6, recomputed, Same},
			Row{"Online Retail: upper quartile of " + name, rfm.Quantile(lists[i], .75), want.Q75[i], 1e-6, recomputed, Same},
		)
	}
	return append(rows,
		Row{"Online Retail: most orders", lists[1][len(people)-1], want.MaxF, 0, recomputed, Same},
		Row{"Online Retail: most money", lists[2][len(people)-1], want.MaxM, 1e-6, recomputed, Same},
		Row{"Online Retail: ordered once", once, want.Once, 0, recomputed, Same},
	), nil
}

// Cohorts counts who of each month's new customers came back in the months after.
func Cohorts(data string) ([]Row, error) {
	ref, err := published(data)
	if err != nil {
		return nil, err
	}
	var tally retail.Tally
	if err := retail.Rows(func(r retail.Row) bool { tally.Add(r); return true }); err != nil {
		return nil, err
	}
	figures := tally.Figures()
	var rows []Row
	for _, t := range []struct {
		what string
		ours []retail.Cohort
		want map[string][]int
	}{{"with a customer", figures.Cohorts, ref.Retail.All}, {"without returns", figures.CohortsBought, ref.Retail.Cohorts}} {
		for _, c := range t.ours {
			want, is := t.want[c.Month]
			if !is {
				continue
			}
			same := 0
			for i, n := range want {
				if i < len(c.Customers) && c.Customers[i] == n {
					same++
				}
			}
			rows = append(rows, Row{"Online Retail: cohort " + c.Month + " " + t.what + ", months that agree", float64(same), float64(len(want)), 0, recomputed, Same})
		}
	}
	return rows, nil
}
