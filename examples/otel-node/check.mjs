// A synthetic check: it looks up the names that are its arguments and tells by
// OpenTelemetry whether all of them resolve. It knows nothing of who runs it: where
// telemetry goes, with which credential and for which run is in the standard OTEL_*
// variables and in TRACEPARENT.
import { lookup } from 'node:dns/promises';
import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';

const sdk = new NodeSDK(); // all of it from the environment
sdk.start();

const scope = 'example.com/checks/names';
const tracer = trace.getTracer(scope);
const lookups = metrics.getMeter(scope).createCounter('names.looked_up', {
  unit: '{name}',
  description: 'Names looked up, by what came of it.',
});

// resolve looks up one name, in a span of its own, and counts it.
async function resolve(name) {
  return tracer.startActiveSpan(`lookup ${name}`, { kind: SpanKind.CLIENT }, async (span) => {
    let outcome = 'found';
    try {
      const { address } = await lookup(name);
      console.log(`${name} is ${address}`);
    } catch (failure) {
      outcome = failure.code ?? failure.name;
      span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
      throw failure;
    } finally {
      lookups.add(1, { outcome });
      span.end();
    }
  });
}

// The root span's status is the check's verdict: Ok, or Error with the reason.
const run = propagation.extract(context.active(), {
  traceparent: process.env.TRACEPARENT,
  tracestate: process.env.TRACESTATE,
});
await tracer.startActiveSpan('look up names', { kind: SpanKind.SERVER }, run, async (root) => {
  try {
    for (const name of process.argv.slice(2)) {
      await resolve(name);
    }
    root.setStatus({ code: SpanStatusCode.OK });
  } catch (failure) {
    console.error(failure.message);
    root.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
  } finally {
    root.end();
  }
});

await sdk.shutdown(); // what was not sent before the end of the process is lost
