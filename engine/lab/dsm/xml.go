package dsm

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// node is any XML element of a request; names are compared without their name space.
type node struct {
	XMLName  xml.Name
	Children []node `xml:",any"`
	Text     string `xml:",chardata"`
}

func (n node) child(name string) (node, bool) {
	for _, c := range n.Children {
		if c.XMLName.Local == name {
			return c, true
		}
	}
	return node{}, false
}

// value is the text of a child, "" when there is none.
func (n node) value(name string) string {
	c, _ := n.child(name)
	return strings.TrimSpace(c.Text)
}

// element is a piece of a reply: either children or a value. A nil value becomes xsi:nil, as Axis writes it.
type element struct {
	name     string
	value    any
	children []element
}

func leaf(name string, value any) element { return element{name: name, value: value} }

func tree(name string, children ...element) element {
	return element{name: name, children: append([]element{}, children...)} // never nil: empty is not null
}

func (e element) write(b *strings.Builder, attributes string) {
	switch {
	case e.children == nil && e.value == nil:
		fmt.Fprintf(b, `<%s%s xsi:nil="true"/>`, e.name, attributes)
		return
	case e.children == nil:
		fmt.Fprintf(b, "<%s%s>", e.name, attributes)
		_ = xml.EscapeText(b, []byte(fmt.Sprint(e.value)))
	default:
		fmt.Fprintf(b, "<%s%s>", e.name, attributes)
		for _, c := range e.children {
			c.write(b, "")
		}
	}
	fmt.Fprintf(b, "</%s>", e.name)
}

func envelope(body element, attributes string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"` +
		` xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>`)
	body.write(&b, attributes)
	b.WriteString(`</soapenv:Body></soapenv:Envelope>`)
	return b.String()
}
