// Recognizes requests of foreign web pages. A server on the loopback address is reached
// by every page that is open in a browser on the same machine; only programs and pages of the server
// itself may use one that asks for no password. Plain JavaScript, because Node-RED loads it as well.
'use strict';

const NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/** Whether a request was meant for another host, whose name was bound to this one (DNS rebinding). */
function hasForeignHost(request) {
  const { host = [] } = request.headersDistinct;
  return host.length !== 1 || !ownHosts(request).includes(host[0].toLowerCase());
}

/** Whether a page of another origin sent the request. Programs such as curl name no origin. */
function hasForeignOrigin(request) {
  const { origin = [] } = request.headersDistinct;
  const scheme = request.socket.encrypted ? 'https' : 'http';
  const own = ownHosts(request).map((host) => `${scheme}://${host}`);
  if (!origin.every((each) => own.includes(each.toLowerCase()))) return true;
  // Browsers send no origin when a page loads an image or a script, but these headers. Following a
  // link is allowed, except into a frame, where clicks can be stolen.
  const {
    'sec-fetch-site': site,
    'sec-fetch-mode': mode,
    'sec-fetch-dest': dest,
  } = request.headers;
  const isOther = site === 'cross-site' || site === 'same-site';
  return isOther && !(mode === 'navigate' && dest === 'document');
}

function ownHosts({ socket }) {
  const { localPort } = socket;
  // Browsers leave the usual port out.
  const isUsual = localPort === (socket.encrypted ? 443 : 80);
  return NAMES.flatMap((name) => [`${name}:${localPort}`, ...(isUsual ? [name] : [])]);
}

module.exports = { hasForeignHost, hasForeignOrigin };
