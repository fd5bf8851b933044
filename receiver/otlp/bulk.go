package otlp

import (
	"encoding/json"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// MaxParts bounds the messages in a request, at every depth, before memory is
	// taken for them: an empty one is 2 bytes to send and about 200 to hold, so that
	// a body of 4 MiB could take 400 MiB. 10,000 points with 9 attributes each, of
	// two parts, are 190,000.
	MaxParts = 200_000

	// maxDepth bounds messages within messages. An attribute's value is at 7; the
	// rest is for lists and maps as values.
	maxDepth = 64
)

// checkBulk returns ErrTooManyParts where raw would take too much memory, and a
// *MalformedError where it is not JSON though it should be. What else may be wrong
// with raw is for the decoder to say.
func checkBulk(signal Signal, encoding Encoding, raw []byte) error {
	if encoding == JSON {
		return checkBulkJSON(raw)
	}
	c := counter{fields: fields(signal)}
	return c.count(raw, request, 0)
}

func checkBulkJSON(raw []byte) error {
	if !json.Valid(raw) { // pdata overlooks what follows the request
		return &MalformedError{"the body is not JSON"}
	}
	parts, inString, last := 0, false, byte(0)
	for i := 0; i < len(raw); i++ {
		b := raw[i]
		switch {
		case b == '\\':
			i++ // only strings have it
		case b == '"':
			inString = !inString
		case inString || b == ' ' || b == '\n' || b == '\r' || b == '\t':
			continue
		case b == '{':
			parts++
		case b == 'n' && (last == '[' || last == ','):
			return &MalformedError{"a list has null in it, which protobuf's JSON does not know"}
		}
		last = b
	}
	if parts > MaxParts {
		return ErrTooManyParts
	}
	return nil
}

// message is a kind of message that may have messages in it.
type message string

const (
	request      message = "ExportServiceRequest"
	perResource  message = "ResourceMetrics" // or its like of another signal
	resource     message = "Resource"
	perScope     message = "ScopeMetrics" // or its like of another signal
	scope        message = "InstrumentationScope"
	metric       message = "Metric"
	numbers      message = "Gauge" // or Sum
	numberPoint  message = "NumberDataPoint"
	histogram    message = "Histogram"
	bucketPoint  message = "HistogramDataPoint"
	exponential  message = "ExponentialHistogram"
	exponentials message = "ExponentialHistogramDataPoint"
	summary      message = "Summary"
	summaryPoint message = "SummaryDataPoint"
	exemplar     message = "Exemplar"
	span         message = "Span"
	event        message = "Event"
	link         message = "Link"
	logRecord    message = "LogRecord"
	keyValue     message = "KeyValue"
	anyValue     message = "AnyValue"
	arrayValue   message = "ArrayValue"
	keyValues    message = "KeyValueList"
	leaf         message = "a message without messages"
)

// fields returns the kinds of messages that the fields of messages have. Source: the
// .proto files of OTLP 1.10.
func fields(signal Signal) map[message]map[protowire.Number]message {
	item := map[Signal]message{Metrics: metric, Traces: span, Logs: logRecord}[signal]
	return map[message]map[protowire.Number]message{
		request:      {1: perResource},
		perResource:  {1: resource, 2: perScope},
		resource:     {1: keyValue, 3: leaf},
		perScope:     {1: scope, 2: item},
		scope:        {3: keyValue},
		metric:       {5: numbers, 7: numbers, 9: histogram, 10: exponential, 11: summary, 12: keyValue},
		numbers:      {1: numberPoint},
		numberPoint:  {5: exemplar, 7: keyValue},
		histogram:    {1: bucketPoint},
		bucketPoint:  {8: exemplar, 9: keyValue},
		exponential:  {1: exponentials},
		exponentials: {1: keyValue, 8: leaf, 9: leaf, 11: exemplar},
		summary:      {1: summaryPoint},
		summaryPoint: {6: leaf, 7: keyValue},
		exemplar:     {7: keyValue},
		span:         {9: keyValue, 11: event, 13: link, 15: leaf},
		event:        {3: keyValue},
		link:         {4: keyValue},
		logRecord:    {5: anyValue, 6: keyValue},
		keyValue:     {2: anyValue},
		anyValue:     {5: arrayValue, 6: keyValues},
		arrayValue:   {1: anyValue},
		keyValues:    {1: keyValue},
	}
}

// counter counts the messages of a request in protobuf.
type counter struct {
	fields map[message]map[protowire.Number]message
	parts  int
}

// count counts the messages in raw, which is one of kind in. It stops quietly at what
// is not protobuf.
func (c *counter) count(raw []byte, in message, depth int) error {
	for len(raw) > 0 {
		kind, inner, rest := c.next(raw, in)
		raw = rest
		if kind == "" {
			continue
		}
		c.parts++
		if c.parts > MaxParts || depth == maxDepth {
			return ErrTooManyParts
		}
		if err := c.count(inner, kind, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// next reads one field of a message of kind in. It returns what it holds if that is a
// message, whose kind is "" if it is not, and what follows, which is nothing where raw
// is not protobuf.
func (c *counter) next(raw []byte, in message) (kind message, inner, rest []byte) {
	field, typ, n := protowire.ConsumeTag(raw)
	if n < 0 {
		return "", nil, nil
	}
	raw = raw[n:]
	if typ == protowire.BytesType {
		inner, n = protowire.ConsumeBytes(raw)
		kind = c.fields[in][field]
	} else {
		n = protowire.ConsumeFieldValue(field, typ, raw)
	}
	if n < 0 {
		return "", nil, nil
	}
	return kind, inner, raw[n:]
}
