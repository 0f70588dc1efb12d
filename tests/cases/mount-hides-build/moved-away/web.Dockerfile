FROM node:20-slim
WORKDIR /app
ENV PATH="${PATH}:/node_modules/.bin"
COPY package.json ./
RUN yarn install
