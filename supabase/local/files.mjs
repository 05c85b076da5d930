// Objects of the Storage API as files; and e-mails of Auth as files, in place of a mail server.

import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";

/** Keeps each object under a name made from its key, so that no key can leave the folder. */
export class FolderStorage {
  driver = fs;

  constructor(folder) {
    this.folder = folder;
  }

  file(bucket, key) {
    const name = createHash("sha256").update(`${bucket}\0${key}`).digest("hex");
    return path.join(this.folder, name.slice(0, 2), name);
  }

  async describe(file) {
    const [found, told] = await Promise.all([fs.stat(file), fs.readFile(`${file}.json`, "utf8")]);
    return { ...JSON.parse(told), lastModified: found.mtime, contentLength: found.size, size: found.size };
  }

  async getObject(bucket, key) {
    const file = this.file(bucket, key);
    const metadata = await this.describe(file);
    const body = metadata.size === 0 ? Buffer.alloc(0) : Readable.toWeb(createReadStream(file));
    return { httpStatusCode: 200, metadata, body };
  }

  async uploadObject(bucket, key, _version, body, mimetype, cacheControl) {
    const file = this.file(bucket, key);
    await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    // Written beside and renamed: a reader sees the old object or the new one, never a part.
    const draft = `${file}.${randomUUID()}`;
    const hash = createHash("md5");
    const handle = await fs.open(draft, "w", 0o600);
    try {
      for await (const chunk of body instanceof Uint8Array ? [body] : body) {
        hash.update(chunk);
        await handle.appendFile(chunk);
      }
    } catch (problem) {
      await fs.rm(draft, { force: true });
      throw problem;
    } finally {
      await handle.close();
    }
    const metadata = { cacheControl, mimetype, eTag: `"${hash.digest("hex")}"` };
    await fs.writeFile(`${file}.json`, JSON.stringify(metadata), { mode: 0o600 });
    await fs.rename(draft, file);
    return this.describe(file);
  }

  async deleteObject(bucket, key) {
    const file = this.file(bucket, key);
    await Promise.all([fs.rm(file, { force: true }), fs.rm(`${file}.json`, { force: true })]);
  }

  async deleteObjects(bucket, keys) {
    for (const key of keys) await this.deleteObject(bucket, key);
  }

  async copyObject(sourceBucket, source, _version, bucket, key) {
    const [from, to] = [this.file(sourceBucket, source), this.file(bucket, key)];
    await fs.mkdir(path.dirname(to), { recursive: true, mode: 0o700 });
    await Promise.all([fs.copyFile(from, to), fs.copyFile(`${from}.json`, `${to}.json`)]);
    const { eTag, lastModified } = await this.describe(to);
    return { httpStatusCode: 200, eTag, lastModified };
  }

  async headObject(bucket, key) {
    return this.describe(this.file(bucket, key));
  }

  async privateAssetUrl(bucket, key) {
    return `file://${this.file(bucket, key)}`;
  }
}

/** Writes every e-mail to one file, newest last by name; nothing is ever sent. */
export class FolderMail {
  constructor(folder) {
    this.folder = folder;
  }

  async send({ to, subject, text, html }) {
    await fs.mkdir(this.folder, { recursive: true, mode: 0o700 });
    const name = `${new Date().toISOString().replaceAll(":", "-")}-${randomUUID().slice(0, 8)}.json`;
    const mail = JSON.stringify({ to, subject, text: text ?? html ?? "" }, null, 2);
    await fs.writeFile(path.join(this.folder, name), mail, { mode: 0o600 });
  }
}
