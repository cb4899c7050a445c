package suggest

import (
	"archive/zip"
	"bytes"
	"io"

	"rapport/internal/core/recommend"
	"rapport/internal/fault"
)

// Measured is a figure of ours beside a published one.
type Measured struct {
	What      string
	Ours      float64
	Published float64
	Source    string
}

// maxUnpacked bounds a file of clicks in an archive.
const maxUnpacked = 1 << 30

// ToySettings are those with which the figures of Serenade's toy set are published,
// first as its example and then as its own search tuned it.
func ToySettings() (example, tuned recommend.Method) {
	return recommend.Method{Algorithm: recommend.VMIS, M: 500, K: 50, Last: 2, IDF: 1}, recommend.Method{Algorithm: recommend.VMIS, M: 1502, K: 288, Last: 4, IDF: 2}
}

// Toy measures VMIS-kNN on Serenade's toy set beside the published figures. The
// archive is that of its repository: train.txt and test.txt.
func Toy(archive []byte) ([]Measured, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the toy set is no zip archive")
	}
	read := func(name string) ([]recommend.Visit, error) {
		f, err := z.Open(name)
		if err != nil {
			return nil, fault.Wrap(fault.NotFound, err, "the toy set has no "+name)
		}
		defer f.Close()
		return ReadClicks(io.LimitReader(f, maxUnpacked))
	}
	train, err := read("train.txt")
	if err != nil {
		return nil, err
	}
	test, err := read("test.txt")
	if err != nil {
		return nil, err
	}
	x, _ := recommend.Learn(recommend.Serenade, train)
	example, tuned := ToySettings()
	a, err := recommend.Evaluate(x, &example, train, test, []int{20}, nil)
	if err != nil {
		return nil, err
	}
	b, err := recommend.Evaluate(x, &tuned, train, test, []int{20}, nil)
	if err != nil {
		return nil, err
	}
	const source = "Serenade, example"
	m := a.At[20]
	return []Measured{
		{"serenade toy: lists", float64(a.Evaluations), 931, source},
		{"serenade toy: MRR@20", m.MRR, .3277, source},
		{"serenade toy: hit rate@20", m.HitRate, .6402, source},
		{"serenade toy: popularity@20", m.Popularity, .0499, source},
		{"serenade toy: precision@20", m.Precision, .0680, source},
		{"serenade toy: coverage@20", m.Coverage, .2765, source},
		{"serenade toy: MRR@20, tuned", b.At[20].MRR, .3401, "Serenade, hyperparameter search"},
	}, nil
}

// Retail measures the lists for a customer on the last baskets of the Online Retail
// year, beside what a plain method reaches by the same protocol: the customer's own
// frequencies, and the cosine of items.
func Retail() ([]Measured, error) {
	baskets, err := Baskets()
	if err != nil {
		return nil, err
	}
	own, fresh := recommend.LastBaskets(baskets, 0, 10)
	const source = "plain method, same protocol"
	return []Measured{
		{"online retail: customers", float64(own.Customers), 2829, source},
		{"online retail: last basket, replenishment, hit rate@10", own.HitRate, .7179, source},
		{"online retail: customers with something new", float64(fresh.Customers), 2498, source},
		{"online retail: last basket, new products, hit rate@10", fresh.HitRate, .3163, source},
	}, nil
}
