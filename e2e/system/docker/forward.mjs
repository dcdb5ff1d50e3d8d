// Hands connections on to a port of the loopback interface of the network that this process was started in. The server
// that takes them comes from the parent, and with it the parent's network.
import net from 'node:net';
import { pipeline } from 'node:stream';

process.once('message', (port, server) => {
  server.on('connection', (from) => pipeline(from, net.connect(port, '127.0.0.1'), from, () => {}));
  process.send('ready');
});
process.once('disconnect', () => process.exit());
