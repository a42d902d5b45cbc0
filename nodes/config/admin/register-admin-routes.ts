import type { RequestHandler } from 'express';
import type { NodeAPI } from 'node-red';
import type { LiveStatus } from '../monitoring/live-status.js';
import { checkDeployed, checkDialog } from './check.js';
import { testConnection } from './connection-test.js';
import { findTargets, findUndeployedTargets } from './find-targets.js';
import { lookUpUndeployedWork, lookUpWork } from './look-up-work.js';
import { healthResponse, metricsResponse } from './monitoring.js';
import { changeOutbox, readOutbox, readValue } from './outbox.js';
import { bodyOf, idOf, idsOf, isRefresh, sequenceOf } from './request.js';
import { NotModified, respond } from './respond.js';
import { runOperation, runUndeployedOperation } from './run-operation.js';
import { readSchema, readUndeployedSchema } from './schema.js';

/** Registers the routes of the dialogs and of the sidebar, each with a permission of Node-RED. */
export function registerAdminRoutes(RED: NodeAPI, live: LiveStatus): void {
  const { httpAdmin, auth } = RED;
  const read = auth.needsPermission('ion-config.read');
  const write = auth.needsPermission('ion-config.write');
  httpAdmin.post('/ion-config/test', write, (req, res) => {
    respond(res, (signal) => testConnection(RED, bodyOf(req), signal));
  });
  httpAdmin.post('/ion-config/check', write, (req, res) => {
    respond(res, (signal) => checkDialog(RED, bodyOf(req), signal));
  });
  httpAdmin.post('/ion-config/schema', write, (req, res) => {
    respond(res, (signal) => readUndeployedSchema(RED, bodyOf(req), signal));
  });
  httpAdmin.post('/ion-config/find', write, (req, res) => {
    respond(res, (signal) => findUndeployedTargets(RED, bodyOf(req), signal));
  });
  httpAdmin.post('/ion-config/:id/check', write, (req, res) => {
    respond(res, (signal) => {
      bodyOf(req);
      return checkDeployed(RED, idOf(req), signal);
    });
  });
  httpAdmin.post('/ion-config/run', write, (req, res) => {
    respond(res, (signal) => runUndeployedOperation(RED, bodyOf(req), signal));
  });
  httpAdmin.post('/ion-config/:id/run', write, (req, res) => {
    respond(res, (signal) => runOperation(RED, idOf(req), bodyOf(req), signal));
  });
  httpAdmin.post('/ion-config/:id/find', write, (req, res) => {
    respond(res, (signal) => findTargets(RED, idOf(req), bodyOf(req), signal));
  });
  httpAdmin.post('/ion-config/lookup', write, (req, res) => {
    respond(res, (signal) => lookUpUndeployedWork(RED, bodyOf(req), signal));
  });
  httpAdmin.post('/ion-config/:id/lookup', write, (req, res) => {
    respond(res, (signal) => lookUpWork(RED, idOf(req), bodyOf(req), signal));
  });
  httpAdmin.get('/ion-config/:id/outbox', read, (req, res) => {
    respond(res, () => readOutbox(RED, idOf(req)));
  });
  httpAdmin.post('/ion-config/:id/outbox', write, (req, res) => {
    respond(res, () => changeOutbox(RED, idOf(req), bodyOf(req)));
  });
  // The list shows short texts; only a user who may change a write sees its values in full.
  httpAdmin.get('/ion-config/:id/outbox/:sequence', write, (req, res) => {
    respond(res, () => readValue(RED, idOf(req), sequenceOf(req)));
  });
  httpAdmin.get('/ion-config/metrics', read, (req, res) => {
    respond(res, () => metricsResponse(req.headers.accept));
  });
  httpAdmin.get('/ion-config/health', read, (_req, res) => {
    respond(res, () => healthResponse());
  });
  httpAdmin.post('/ion-config/watch', read, (req, res) => {
    respond(res, async () => live.watch(bodyOf(req)));
  });
  httpAdmin.get('/ion-config/status', read, (req, res) => {
    respond(res, () => live.status(idsOf(req)));
  });
  // A user with read access has no reason to send requests to ION.
  const readOrRefresh: RequestHandler = (req, res, next) =>
    (isRefresh(req) ? write : read)(req, res, next);
  httpAdmin.get('/ion-config/:id/schema', readOrRefresh, (req, res) => {
    respond(res, async () => {
      const schema = await readSchema(RED, idOf(req), isRefresh(req));
      const { etag } = schema;
      return req.headers['if-none-match'] === etag ? new NotModified(etag) : schema;
    });
  });
}
