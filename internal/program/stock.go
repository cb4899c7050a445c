package program

import (
	"strconv"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/product"
	"rapport/internal/core/spec"
)

// Goods says which changes of the catalogue are told, and to whom.
type Goods struct {
	// LowStock is how many pieces are few. Default: product.LowStock.
	LowStock int64
	// Interest is for how long somebody who looked at a product is told of it.
	// Default: product.InterestFor.
	Interest time.Duration
}

// maxLowStock bounds what a shop may call few: of a thousand pieces nobody must hurry.
const maxLowStock = 1000

// goods reads the part catalogue of shop.yaml.
func (r fields) goods(n spec.Node) Goods {
	g := Goods{product.LowStock, product.InterestFor}
	const example = "catalogue: {low_stock: 5, interest: 60d}"
	v, there := n.Get("catalogue")
	if !there {
		return g
	}
	if v.Kind != spec.Map {
		r.ps.Add(v.Pos, example, "catalogue says what is few, and how long an interest lasts")
		return g
	}
	r.known(v, "catalogue", "low_stock", "interest")
	if low, is := v.Get("low_stock"); is {
		few, err := strconv.ParseInt(low.Text, 10, 64)
		if err != nil || few < 1 || few > maxLowStock {
			r.ps.Add(low.Pos, example, "low_stock: %q is not a number of pieces from 1 to %d", low.Text, maxLowStock)
		} else {
			g.LowStock = few
		}
	}
	if lasts, is := v.Get("interest"); is {
		d, ok := condition.ParseDuration(lasts.Text)
		if !ok || d < time.Hour {
			r.ps.Add(lasts.Pos, example, "interest: %q is no duration of an hour or more", lasts.Text)
		} else {
			g.Interest = d
		}
	}
	return g
}
