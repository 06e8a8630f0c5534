/** @param {object} r */ export const pageOf = (r) => JSON.stringify(r);
