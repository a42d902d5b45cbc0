// Loaded by the demo's settings.js, before Node-RED makes its server. Without adminAuth Node-RED
// answers every origin, so that any web page open in a browser on this machine could deploy a flow,
// and a flow runs whatever code it likes. This file refuses requests of foreign pages, before Node-RED
// sees them: for the editor, its admin API, its WebSocket, dashboards and `http in` nodes.
'use strict';
const http = require('node:http');
const { hasForeignHost, hasForeignOrigin } = require('../sandbox/http/own-origin.cjs');

const TEXT = 'The demo takes requests of its own pages and of programs on this machine only.\n';
const REQUESTS = new Set(['request', 'checkContinue', 'checkExpectation']);
const TUNNELS = new Set(['upgrade', 'connect']);

const { createServer } = http;
http.createServer = (...options) => guarded(createServer(...options));

function guarded(server) {
  const { emit } = server;
  // Every listener, also one added later, gets only the events that pass here.
  server.emit = (event, ...values) => {
    const isRequest = REQUESTS.has(event);
    if (!isRequest && !TUNNELS.has(event)) return emit.call(server, event, ...values);
    const [request, answer] = values;
    if (!hasForeignHost(request) && !hasForeignOrigin(request)) {
      return emit.call(server, event, ...values);
    }
    if (isRequest) refuseRequest(answer);
    else refuseTunnel(answer);
    return true;
  };
  return server;
}

function refuseRequest(response) {
  response.writeHead(403, { 'content-type': 'text/plain', connection: 'close' }).end(TEXT);
}

function refuseTunnel(socket) {
  // The client may be gone already.
  socket.on('error', () => socket.destroy());
  socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
}
