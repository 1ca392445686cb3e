// Of the page that is after the card: a shared worker that hears every connection, and a service worker that sees every
// request of the page's.
self.onconnect = ({ ports: [port] }) => (port.onmessage = ({ data }) => port.postMessage(data));
self.oninstall = () => self.skipWaiting?.();
self.onactivate = (event) => event.waitUntil(self.clients.claim());
self.onfetch = (event) => {
  const { request } = event;
  const body = request.method === "GET" ? Promise.resolve("") : request.clone().text();
  event.waitUntil(
    body.then(async (text) => {
      for (const client of await self.clients.matchAll({ includeUncontrolled: true })) {
        client.postMessage({ url: request.url, method: request.method, body: text });
      }
    }),
  );
};
