package code

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"rapport/internal/fault"
)

// Kind is what sort of code it is. The names are part of templates and of links
// in mails sent long ago: never change.
type Kind string

// The kinds.
const (
	EAN13   Kind = "ean13"
	Code128 Kind = "code128"
	QR      Kind = "qr"
)

// Sizes on the screen, in CSS pixels. 256 leaves 32 on each side of a telephone
// that is 320 wide.
const (
	BarWidth  = 256
	BarHeight = 80
	QRWidth   = 200
)

// sharp is how many pixels of the picture make one CSS pixel.
const sharp = 2

// Quiet zones in modules, as the standards ask: EAN-13 at least 11 and 7, Code
// 128 at least 10, QR 4.
const (
	eanLeft, eanRight = 11, 7
	quiet128          = 10
	quietQR           = 4
)

// MaxText bounds what a code may say. A QR code of more has modules that a
// telephone cannot show apart, and a longer link is cut by mail programs.
const MaxText = 400

// Picture is a drawn code.
type Picture struct {
	Width, Height int // on the screen, in CSS pixels: for the attributes of the img
	PNG           []byte
}

// Draw returns the code that says the text. Level is the error correction of a QR
// code: L, M, Q or H; empty is M. Bars have none. A text that the kind cannot say,
// or that would be too small to be read, is a fault of kind Invalid. The same
// arguments always give the same picture.
func Draw(kind Kind, text, level string) (Picture, error) {
	if err := Check(kind, text, level); err != nil {
		return Picture{}, err
	}
	switch kind {
	case EAN13:
		bars, err := ean13(text)
		if err != nil {
			return Picture{}, err
		}
		return drawBars(bars, eanLeft, eanRight)
	case Code128:
		bars, err := code128(text)
		if err != nil {
			return Picture{}, err
		}
		return drawBars(bars, quiet128, quiet128)
	}
	m, err := qrCode(text, level)
	if err != nil {
		return Picture{}, err
	}
	return drawSquare(m)
}

// Check returns why Draw would not draw; nil if it will. It is for when a message
// is made: drawing is for when somebody looks at it.
func Check(kind Kind, text, level string) error {
	switch {
	case level != "" && kind != QR:
		return fault.New(fault.Invalid, "only a QR code has a level of error correction")
	case text == "":
		return fault.New(fault.Invalid, "there is nothing to make a code of")
	case len(text) > MaxText:
		return fault.New(fault.Invalid, fmt.Sprintf("a code says at most %d characters; this has %d", MaxText, len(text)))
	}
	switch kind {
	case EAN13:
		_, err := ean13(text)
		return err
	case Code128:
		bars, err := code128(text)
		if total := len(bars) + 2*quiet128; err == nil && total > BarWidth {
			return fault.New(fault.Invalid, fmt.Sprintf("the barcode would have %d modules, and a telephone shows %d: use a shorter text, or a QR code", total, BarWidth))
		}
		return err
	case QR:
		_, _, _, err := plan(text, level)
		return err
	}
	return fault.New(fault.Invalid, "there is no code of the kind "+string(kind)+": write ean13, code128 or qr")
}

// canvas is a white picture.
func canvas(width, height int) *image.Paletted {
	return image.NewPaletted(image.Rect(0, 0, width*sharp, height*sharp), color.Palette{color.White, color.Black})
}

// fill blackens a rectangle of pixels.
func fill(m *image.Paletted, x, y, w, h int) {
	for row := y; row < y+h; row++ {
		line := m.Pix[row*m.Stride+x:][:w]
		for i := range line {
			line[i] = 1
		}
	}
}

// drawBars draws bars, true for black, centred in the width of a barcode.
func drawBars(bars []bool, left, right int) (Picture, error) {
	total := len(bars) + left + right
	module := BarWidth / total * sharp
	m := canvas(BarWidth, BarHeight)
	from := (BarWidth*sharp-total*module)/2 + left*module
	from -= from % sharp
	for i, black := range bars {
		if black {
			fill(m, from+i*module, 0, module, BarHeight*sharp)
		}
	}
	return encode(m, BarWidth, BarHeight)
}

// drawSquare draws a QR code, true for black.
func drawSquare(rows [][]bool) (Picture, error) {
	total := len(rows) + 2*quietQR
	module := QRWidth / total * sharp
	m := canvas(QRWidth, QRWidth)
	from := (QRWidth*sharp-total*module)/2 + quietQR*module
	from -= from % sharp
	for y, row := range rows {
		for x, black := range row {
			if black {
				fill(m, from+x*module, from+y*module, module, module)
			}
		}
	}
	return encode(m, QRWidth, QRWidth)
}

func encode(m *image.Paletted, width, height int) (Picture, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return Picture{}, fmt.Errorf("drawing a code: %w", err)
	}
	return Picture{width, height, b.Bytes()}, nil
}
