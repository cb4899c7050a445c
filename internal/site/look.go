package site

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
)

// The papers of the style sheet, light and dark, on which an accent must be read.
const (
	lightPaper = "#ffffff"
	darkPaper  = "#181c25"
)

// MinContrast is the least contrast of text to its ground that WCAG 2.2 asks for
// (success criterion 1.4.3, level AA).
const MinContrast = 4.5

// plainPolicy is that of our own look.
var _, plainPolicy = sheet(Look{})

// sheet returns the style sheet of a look and the policy that allows it and
// nothing else.
func sheet(l Look) (css, policy string) {
	css = style
	if safeAccent(l.Accent) {
		// A colour that is read on white is seldom read on a dark page: there it is
		// made lighter until it is.
		css += ":root{--accent:" + readable(l.Accent, lightPaper, "#000000") + "}@media (prefers-color-scheme:dark){:root{--accent:" + readable(l.Accent, darkPaper, "#ffffff") + "}}"
	}
	img := "'self'"
	if origin, ok := safeLogo(l.Logo); ok {
		img += " " + origin
	}
	sum := sha256.Sum256([]byte(css))
	return css, "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src " + img + "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// readable returns the colour nearest to c, on the way to another one, that has
// the least contrast to the paper.
func readable(c, paper, to string) string {
	const steps = 20
	for i := range steps + 1 {
		if m := mix(c, to, float64(i)/steps); Contrast(m, paper) >= MinContrast {
			return m
		}
	}
	return to
}

func mix(a, b string, share float64) string {
	x, y := channelsOf(a), channelsOf(b)
	var out [3]int
	for i := range out {
		out[i] = int(math.Round(x[i] + (y[i]-x[i])*share))
	}
	return fmt.Sprintf("#%02x%02x%02x", out[0], out[1], out[2])
}

func channelsOf(c string) (out [3]float64) {
	for i := range out {
		n, _ := strconv.ParseUint(c[1+2*i:3+2*i], 16, 8) // safeAccent has looked
		out[i] = float64(n)
	}
	return out
}

// Contrast returns the contrast of two colours #rrggbb as WCAG defines it, from 1
// to 21.
func Contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c string) float64 {
	var l float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v := channelsOf(c)[i] / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		l += weight * v
	}
	return l
}
