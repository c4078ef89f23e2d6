// Package chart draws the charts of the dashboard as SVG, on the server: pure
// functions from numbers to markup, which know no store and no request.
//
// A chart is as wide as its place. What lies along it is given in percent and
// letters in CSS pixels, so that on a narrow screen the bars shrink and the letters
// do not. Every second label has the class "minor", for the stylesheet to leave out
// there. Colours are classes as well, so that they follow the dark mode. There is no
// style attribute and no script: the policy of the pages refuses both.
//
// Colour never tells alone: parts are stacked in a fixed order, each bar says its
// numbers on hover, and the page around has a legend and, where numbers matter, a
// table.
//
// All markup passes through drawing (drawing.go), which escapes every text. The
// result is well-formed XML whatever goes in; a test feeds it with noise.
package chart
